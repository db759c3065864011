"""Discarding, in every state an import can be in; and cleaning up after it."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import event

from glyphd.domain.imports import DISCARDABLE, Status
from glyphd.errors import IllegalTransition, ImportNotFound
from glyphd.services.browsing import ListingQuery, browse_listings
from glyphd.services.cleaning import ROWS_PER_STEP, clean_next, remove_rows
from glyphd.services.context import Context
from glyphd.services.discarding import discard_import
from glyphd.services.inspecting import inspect_events, inspect_rejections
from glyphd.services.reporting import report_import
from glyphd.services.running import run_next

_TABLES = ("scored_listings", "sightings", "import_model_stats", "import_facets")


@pytest.mark.parametrize("status", sorted(DISCARDABLE))
def test_what_nobody_reads_can_be_discarded(
    context: Context,
    make_import: Callable[[Status], str],
    count_rows: Callable[..., int],
    clean: Callable[[], None],
    status: Status,
) -> None:
    """It counts no row, shows none, is run by nobody, and a worker removes what is there."""
    import_id = make_import(status)
    discard_import(context, import_id, "operator", "wrong crawl")
    report = report_import(context, import_id)
    assert (Status.DISCARDED, 0, []) == (report.status, report.count, report.top_models)
    assert [] == browse_listings(context, ListingQuery(import_id=import_id), limit=10).items
    assert run_next(context, "worker") is False
    clean()
    assert [0] * len(_TABLES) == [count_rows(import_id, table) for table in _TABLES]
    last = inspect_events(context, import_id, limit=10)[-1]
    assert ("operator", "discarded", "wrong crawl") == (last.actor, last.action, last.reason)


@pytest.mark.parametrize("status", [Status.PUBLISHED, Status.ROLLED_BACK, Status.FAILED, Status.PURGED])
def test_what_is_out_or_over_cannot_be_discarded(
    context: Context, make_import: Callable[[Status], str], status: Status
) -> None:
    """The refusal says which state it is in, and nothing changes."""
    import_id = make_import(status)
    before = report_import(context, import_id)
    with pytest.raises(IllegalTransition) as refused:
        discard_import(context, import_id, "operator")
    told = {name: refused.value.members[name] for name in ("import_id", "import_status")}
    assert {"import_id": import_id, "import_status": status} == told
    assert "discard" not in refused.value.members["possible"]
    assert before == report_import(context, import_id)


def test_discarding_twice_changes_nothing(context: Context, make_import: Callable[[Status], str]) -> None:
    """The second time writes no event."""
    import_id = make_import(Status.RECEIVED)
    first = discard_import(context, import_id, "operator")
    assert first == discard_import(context, import_id, "operator")
    assert ["received", "discarded"] == [found.action for found in inspect_events(context, import_id, limit=10)]


def test_two_cleaners_leave_nothing(
    context: Context, receive: Callable[..., str], make_lines: Callable[..., str], count_rows: Callable[..., int]
) -> None:
    """One that finds rows gone which another has just deleted goes on with those that are left."""
    import_id = receive(make_lines(*range(1, 2 * ROWS_PER_STEP + 5)))
    run_next(context, "worker")
    with context.database.writing() as work:
        statement = "UPDATE import_batches SET status = 'discarded', count = 0, rows_to_remove = true"
        work.connection.exec_driver_sql(statement)
        work.commit()
    other = remove_rows(context, import_id, with_rejections=False)
    next(other)
    with ThreadPoolExecutor(1) as pool:
        cleaning = pool.submit(clean_next, context)
        time.sleep(0.3)
        next(other)  # commits what it has deleted, and begins another step
        other.close()
        assert cleaning.result(60)
    assert [0] * len(_TABLES) == [count_rows(import_id, table) for table in _TABLES]


def test_an_unknown_import_cannot_be_discarded(context: Context) -> None:
    """It is not found."""
    with pytest.raises(ImportNotFound):
        discard_import(context, "01997c1e-4a00-7d5e-9c39-0f6a4cf0a1b2", "operator")


def test_cleaning_goes_in_steps_and_keeps_rejections(
    context: Context, receive: Callable[..., str], make_lines: Callable[..., str], count_rows: Callable[..., int]
) -> None:
    """No transaction removes more rows than a step has, so that other writers hardly wait."""
    import_id = receive(make_lines(0, *range(1, 2 * ROWS_PER_STEP + 5)), on_error="abort")
    other = receive(make_lines(1, 2))
    run_next(context, "worker")
    run_next(context, "worker")
    before = count_rows(import_id, "import_rejections")
    commits: list[str] = []

    def record(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        commits.extend([statement] * (statement == "COMMIT"))

    event.listen(context.database.engine, "before_cursor_execute", record)
    assert clean_next(context) is True
    assert clean_next(context) is False
    assert [0] * len(_TABLES) == [count_rows(import_id, table) for table in _TABLES]
    assert (before, 2) == (count_rows(import_id, "import_rejections"), count_rows(other))
    assert 1 == len(inspect_rejections(context, import_id, limit=10)[0])
    assert len(commits) >= len(_TABLES) + 1
