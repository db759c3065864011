"""Every way in which a run can end."""

import dataclasses
import sqlite3
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event

from glyphd.domain.clock import utc_now
from glyphd.domain.imports import OnError, Status
from glyphd.services.context import Context
from glyphd.services.inspecting import inspect_events, inspect_rejections
from glyphd.services.reporting import report_import
from glyphd.services.running import MAX_ATTEMPTS, claim_next, run_import, run_next

Receive = Callable[..., str]
MakeLines = Callable[..., str]


def test_nothing_waits(context: Context) -> None:
    """A worker is told when there is nothing to do."""
    assert run_next(context, "worker") is False


def test_valid_records_are_published_and_the_others_told(
    context: Context, receive: Receive, make_lines: MakeLines
) -> None:
    """Counts add up, issues are named, events say who did what."""
    import_id = receive(make_lines(100, 0, 300))
    assert run_next(context, "worker") is True
    report = report_import(context, import_id)
    assert (Status.PUBLISHED, 3, 2, 1) == (report.status, report.received, report.count, report.rejected)
    assert {"out_of_range": 1} == report.error_counts
    assert [(2, "price", "out_of_range")] == [(e.import_index, e.field, e.code) for e in report.errors]
    assert (100, 300) == report.price_range
    events = [(found.actor, found.action) for found in inspect_events(context, import_id, limit=10)]
    assert [("test", "received"), ("worker", "started"), ("worker", "published")] == events


@pytest.mark.parametrize(
    ("content", "code"),
    [
        ("canonical_model,price\nH100,1\n", "missing_column"),
        ("", "empty_file"),
        (
            'canonical_model,vram_gb,tdp_watts,mig_support,nvlink,price,score\nH100,80,350,7,1,1,"9',
            "unterminated_quote",
        ),
    ],
)
def test_a_fault_of_the_file_fails_the_import(context: Context, receive: Receive, content: str, code: str) -> None:
    """The failure says what is wrong, and the import counts no row."""
    import_id = receive(content)
    run_next(context, "worker")
    report = report_import(context, import_id)
    assert (Status.FAILED, code, 0) == (report.status, (report.failure or {})["code"], report.count)
    last = inspect_events(context, import_id, limit=10)[-1]
    assert ("failed", {"code": code, "cause": "file"}) == (last.action, last.details)


def test_a_fault_late_in_the_file_takes_its_rows_back(
    context: Context,
    receive: Receive,
    make_lines: MakeLines,
    count_rows: Callable[..., int],
    clean: Callable[[], None],
) -> None:
    """Rows that were stored before the fault are removed by a worker; rejections stay."""
    import_id = receive(make_lines(0, *range(1, 70_000)) + 'H100,80,350,7,True,5,1,"s')
    run_next(context, "worker")
    report = report_import(context, import_id)
    assert (Status.FAILED, 0, 1) == (report.status, report.count, report.rejected)
    assert count_rows(import_id) > 0
    clean()
    assert 0 == count_rows(import_id)
    assert [1] == [found.import_index for found in inspect_rejections(context, import_id, limit=10)[0]]


def test_no_valid_record_fails_the_import(context: Context, receive: Receive, make_lines: MakeLines) -> None:
    """What was rejected, and why, can still be read."""
    import_id = receive(make_lines(0, 0))
    run_next(context, "worker")
    report = report_import(context, import_id)
    assert (Status.FAILED, "no_valid_record") == (report.status, (report.failure or {})["code"])
    assert (2, 0, 2) == (report.received, report.count, report.rejected)
    assert [1, 2] == [error.import_index for error in report.errors]


@pytest.mark.parametrize("bad", [1, 15_000, 66_000])
def test_abort_is_all_or_nothing(
    context: Context,
    receive: Receive,
    make_lines: MakeLines,
    count_rows: Callable[..., int],
    clean: Callable[[], None],
    bad: int,
) -> None:
    """One rejection, early, in a later step or in a later chunk, and no row stays."""
    prices = [0 if index == bad else index for index in range(1, 66_001)]
    import_id = receive(make_lines(*prices), on_error=OnError.ABORT)
    run_next(context, "worker")
    clean()
    report = report_import(context, import_id)
    assert (Status.FAILED, "rejected_records") == (report.status, (report.failure or {})["code"])
    assert (66_000, 0, 1) == (report.received, report.count, report.rejected)
    assert 0 == count_rows(import_id)


def test_abort_lets_a_clean_batch_through(context: Context, receive: Receive, make_lines: MakeLines) -> None:
    """Without a rejection it is an import like others."""
    import_id = receive(make_lines(1, 2), on_error=OnError.ABORT)
    run_next(context, "worker")
    assert Status.PUBLISHED is report_import(context, import_id).status


@pytest.mark.parametrize("damage", ["missing", "changed"])
def test_a_damaged_artifact_fails_the_import(
    context: Context, receive: Receive, make_lines: MakeLines, damage: str
) -> None:
    """Bytes that are not what was submitted are never imported."""
    import_id = receive(make_lines(1))
    path = context.artifacts.locate(report_import(context, import_id).artifacts[0].sha256)
    path.unlink() if damage == "missing" else path.write_text(make_lines(2))
    run_next(context, "worker")
    report = report_import(context, import_id)
    assert (Status.FAILED, "artifact_damaged") == (report.status, (report.failure or {})["code"])
    assert "service" == inspect_events(context, import_id, limit=10)[-1].details["cause"]


_SECOND = "import_id = NEW.import_id AND import_index = 2"


@pytest.mark.parametrize(
    ("table", "action"),
    [
        ("scored_listings", f"DELETE FROM scored_listings WHERE {_SECOND}"),
        ("import_rejections", "DELETE FROM import_rejections WHERE import_id = NEW.import_id"),
        ("sightings", f"DELETE FROM sightings WHERE {_SECOND}"),
        ("scored_listings", f"UPDATE scored_listings SET import_index = 99 WHERE {_SECOND}"),
        ("sightings", "DELETE FROM models WHERE model = NEW.canonical_model"),
    ],
    ids=["row lost", "rejection lost", "sighting lost", "row renumbered", "model lost"],
)
def test_counts_are_reconciled_inside_the_database(
    context: Context,
    receive: Receive,
    make_lines: MakeLines,
    add_trigger: Callable[..., None],
    table: str,
    action: str,
) -> None:
    """G1, G2: a row that the database lost, has under another number or without its model fails the import."""
    add_trigger(table, action)
    import_id = receive(make_lines(1, 2, 3, 0))
    run_next(context, "worker")
    report = report_import(context, import_id)
    assert (Status.FAILED, "counts_disagree") == (report.status, (report.failure or {})["code"])


def test_a_row_that_the_database_refuses_fails_the_import(
    context: Context, receive: Receive, make_lines: MakeLines, add_trigger: Callable[..., None]
) -> None:
    """Trying again could not help: it is a fault of the service, said at once."""
    add_trigger("scored_listings", "refuse")
    import_id = receive(make_lines(1))
    run_next(context, "worker")
    report = report_import(context, import_id)
    assert (Status.FAILED, "unexpected_failure") == (report.status, (report.failure or {})["code"])


def test_a_fault_of_the_service_fails_the_import(context: Context, receive: Receive, make_lines: MakeLines) -> None:
    """What nobody foresaw is a failure with a reason too, not a worker that dies."""
    import_id = receive(make_lines(1))
    held = claim_next(context, "worker")
    assert held is not None
    answers = iter([ValueError("broken clock")])

    def clock() -> Any:
        if (problem := next(answers, None)) is not None:
            raise problem
        return utc_now()

    run_import(dataclasses.replace(context, clock=clock), held)
    report = report_import(context, import_id)
    assert (Status.FAILED, "unexpected_failure") == (report.status, (report.failure or {})["code"])
    assert "ValueError: see the server's log." == (report.failure or {})["detail"]


def test_a_store_that_is_away_does_not_fail_the_import(
    context: Context, receive: Receive, make_lines: MakeLines
) -> None:
    """Nothing is wrong with the batch: it stays running until its lease lapses, then it is run again."""
    import_id = receive(make_lines(1, 2))
    with _Away(context, "UPDATE import_batches", after=1):
        run_next(context, "worker")
    assert Status.RUNNING is report_import(context, import_id).status
    run_next(_later(context), "worker")
    report = report_import(context, import_id)
    assert (Status.PUBLISHED, 2) == (report.status, report.count)


def test_a_failure_that_cannot_be_written_is_found_again(context: Context, receive: Receive) -> None:
    """The import is tried again, and then it is failed."""
    import_id = receive("a,b\n1,2\n")
    with _Away(context, "INSERT INTO import_events", after=1):
        run_next(context, "worker")
    assert Status.RUNNING is report_import(context, import_id).status
    run_next(_later(context), "worker")
    assert Status.FAILED is report_import(context, import_id).status


def test_a_fenced_worker_changes_nothing(
    context: Context, receive: Receive, make_lines: MakeLines, count_rows: Callable[..., int]
) -> None:
    """A worker whose import was taken over can neither write rows nor publish nor fail it."""
    import_id = receive(make_lines(1, 2))
    first = claim_next(context, "first")
    second = claim_next(_later(context), "second")
    assert first is not None
    assert second is not None
    assert (import_id, 1, 2) == (second.import_id, first.fencing_token, second.fencing_token)
    run_import(context, first)
    assert (Status.RUNNING, 0) == (report_import(context, import_id).status, count_rows(import_id))
    run_import(context, second)
    published = report_import(context, import_id)
    run_import(context, first)
    assert published == report_import(context, import_id)


def test_a_lease_that_has_not_run_out_is_respected(context: Context, receive: Receive, make_lines: MakeLines) -> None:
    """No other worker is given the import."""
    receive(make_lines(1))
    claim_next(context, "first")
    assert claim_next(context, "second") is None


def test_a_worker_that_comes_second_gets_nothing(
    context: Context, receive: Receive, make_lines: MakeLines, make_context: Callable[..., Context]
) -> None:
    """Another one claims the import between the look and the claim: whether it waits is asked again in the turn."""
    import_id = receive(make_lines(1))
    other, first = make_context(), iter([True])

    def claim_meanwhile(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if statement == "ROLLBACK" and next(first, False):
            claim_next(other, "first")

    event.listen(context.database.engine, "after_cursor_execute", claim_meanwhile)
    assert claim_next(context, "second") is None
    assert 1 == sum(found.action == "started" for found in inspect_events(context, import_id, limit=10))


def test_too_many_attempts_fail_the_import(context: Context, receive: Receive, make_lines: MakeLines) -> None:
    """The claim after the last attempt writes the failure, and still counts as work."""
    import_id = receive(make_lines(1))
    for hours in range(MAX_ATTEMPTS):
        claim_next(_later(context, hours), "worker")
    progress = report_import(context, import_id).progress
    assert progress is not None
    assert MAX_ATTEMPTS == progress.attempts
    assert run_next(_later(context, MAX_ATTEMPTS), "worker") is True
    report = report_import(context, import_id)
    assert (Status.FAILED, "worker_died") == (report.status, (report.failure or {})["code"])


def test_a_held_import_is_staged(context: Context, make_import: Callable[[Status], str]) -> None:
    """It waits for a person, with its counts."""
    report = report_import(context, make_import(Status.STAGED))
    assert (Status.STAGED, 2, None) == (report.status, report.count, report.published_at)


def _later(context: Context, hours: int = 1) -> Context:
    return dataclasses.replace(context, clock=lambda: utc_now() + timedelta(hours=hours))


class _Away:
    """The database is locked for statements that begin like this one, after some of them."""

    def __init__(self, context: Context, beginning: str, after: int = 0) -> None:
        self._engine = context.database.engine
        self._beginning = beginning
        self._left = after

    def __enter__(self) -> None:
        event.listen(self._engine, "before_cursor_execute", self._refuse)

    def __exit__(self, *_: object) -> None:
        event.remove(self._engine, "before_cursor_execute", self._refuse)

    def _refuse(self, _connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if statement.startswith(self._beginning):
            self._left -= 1
            if self._left < 0:
                raise sqlite3.OperationalError("database is locked")
