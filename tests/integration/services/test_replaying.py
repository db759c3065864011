"""Replays and amendments: what stands for a batch, what adds to it, and what goes with it."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from glyphd.domain.imports import Kind, PublishMode, Status
from glyphd.errors import ArtifactDamaged, IllegalTransition, InvalidParameter, NothingToReplay
from glyphd.services.browsing import ListingQuery, browse_listings
from glyphd.services.context import Context
from glyphd.services.digesting import digest_import
from glyphd.services.placing import read_options
from glyphd.services.publishing import publish_import
from glyphd.services.replaying import replay_import
from glyphd.services.reporting import report_import
from glyphd.services.running import run_next
from glyphd.services.surveying import survey_models, survey_sources

HOLD = PublishMode.HOLD


@pytest.fixture
def replay(context: Context) -> Callable[..., str]:
    """Replay an import to its end."""

    def run(import_id: str, **options: Any) -> str:
        replay_id = replay_import(context, import_id, "operator", "new rules", **options)
        while run_next(context, "worker"):
            pass
        return replay_id

    return run


def _seen(context: Context) -> list[tuple[str, float]]:
    return [(row["import_id"], row["price"]) for row in browse_listings(context, ListingQuery(), limit=99).items]


def _view(context: Context, execute: Callable[..., list[Any]]) -> list[tuple[str, float]]:
    rows = execute("SELECT import_id, price FROM visible_listings ORDER BY id")
    return sorted((import_id, price) for import_id, price in rows)


def test_a_replay_gives_the_same_rows_and_stands_for_its_batch(
    context: Context, publish: Callable[..., str], make_lines: Callable[..., str], replay: Callable[..., str]
) -> None:
    """Under unchanged rules the digest is the same (G5); its rows are seen once, under its own name."""
    batch = publish(make_lines(100, 0, 300), source="s", campaign_id="c", metadata={"run": 7})
    again = replay(batch)
    report, original = report_import(context, again), report_import(context, batch)

    assert digest_import(context, batch) == digest_import(context, again)
    assert (Kind.REPLAY, batch, None, Status.PUBLISHED) == (
        report.kind,
        report.parent_import_id,
        report.source_version,
        report.status,
    )
    for name in ("source", "campaign_id", "metadata", "observed_at", "received", "count", "rejected", "artifacts"):
        assert getattr(original, name) == getattr(report, name), name
    assert (None, None) == (original.duplicate_of, report.duplicate_of)
    assert [(again, 100), (again, 300)] == _seen(context)
    assert [2] == [model.listing_count for model in survey_models(context, limit=9)]
    assert [batch] == [source.current_import_id for source in survey_sources(context)]


def test_records_are_judged_as_of_when_they_were_submitted(
    context: Context,
    receive: Callable[..., str],
    make_lines: Callable[..., str],
    replay: Callable[..., str],
    execute: Callable[..., list[Any]],
) -> None:
    """An offer `seen` two days after receipt is out of range, however late the batch is replayed."""
    now = context.clock()
    stamp = (now - timedelta(days=8)).strftime("%Y-%m-%dT%H:%M:%SZ")
    lines = make_lines(100, 200).rstrip("\n").splitlines()
    batch = receive("\n".join([lines[0], lines[1], lines[2] + stamp]) + "\n")
    execute("UPDATE import_batches SET imported_at = :at", at=(now - timedelta(days=10)).replace(tzinfo=None))
    while run_next(context, "worker"):
        pass
    again = replay(batch)

    assert (1, 1) == (report_import(context, batch).rejected, report_import(context, again).rejected)
    assert digest_import(context, batch) == digest_import(context, again)


def test_the_newest_published_replay_stands(
    context: Context,
    publish: Callable[..., str],
    make_lines: Callable[..., str],
    replay: Callable[..., str],
    execute: Callable[..., list[Any]],
) -> None:
    """One that waits does not; asked of a replay, the batch is replayed."""
    batch = publish(make_lines(100))
    first = replay(batch)
    second = replay(first)
    waiting = replay(batch, publish=HOLD)

    assert Status.STAGED is report_import(context, waiting).status
    assert batch == report_import(context, second).parent_import_id
    assert [(second, 100)] == _seen(context) == _view(context, execute)
    publish_import(context, waiting, "operator")
    assert [(waiting, 100)] == _seen(context) == _view(context, execute)


def test_amendments_add_to_what_stands(
    context: Context,
    publish: Callable[..., str],
    make_lines: Callable[..., str],
    replay: Callable[..., str],
    execute: Callable[..., list[Any]],
) -> None:
    """The mended records are seen beside the batch, or its replay, and counted with it."""
    batch = publish(make_lines(100, 0), source="s")
    amendment = publish(make_lines(200), parent_import_id=batch)
    report = report_import(context, amendment)
    seen = _seen(context)
    again = replay(batch)

    assert (Kind.AMENDMENT, "s", batch, None) == (
        report.kind,
        report.source,
        report.parent_import_id,
        report.source_version,
    )
    assert report_import(context, batch).observed_at == report.observed_at
    assert [(amendment, 200), (batch, 100)] == seen
    assert [(again, 100), (amendment, 200)] == _seen(context)
    assert sorted(_seen(context)) == _view(context, execute)
    assert [2] == [model.listing_count for model in survey_models(context, limit=9)]


def test_what_hangs_on_a_batch_goes_with_it(
    context: Context,
    publish: Callable[..., str],
    make_lines: Callable[..., str],
    replay: Callable[..., str],
    execute: Callable[..., list[Any]],
) -> None:
    """Out of every read while the batch is rolled back, named or not, and back with it."""
    batch = publish(make_lines(100, 0))
    amendment, again = publish(make_lines(200), parent_import_id=batch), replay(batch)
    before = _seen(context)
    execute("UPDATE import_batches SET status = 'rolled_back' WHERE import_id = :id", id=batch)
    named = [browse_listings(context, ListingQuery(import_id=each), limit=9).items for each in (amendment, again)]

    assert ([], []) == (_seen(context), _view(context, execute))
    assert [[], []] == named
    execute("UPDATE import_batches SET status = 'published' WHERE import_id = :id", id=batch)
    assert before == _seen(context)


def test_nothing_that_hangs_on_a_staged_batch_is_published(
    context: Context, publish: Callable[..., str], make_lines: Callable[..., str], replay: Callable[..., str]
) -> None:
    """First the batch, then its amendment or replay."""
    batch = publish(make_lines(100), publish=HOLD)
    amendment, again = publish(make_lines(200), parent_import_id=batch), replay(batch)
    assert {Status.STAGED} == {report_import(context, each).status for each in (amendment, again)}
    with pytest.raises(IllegalTransition, match="is staged: publish that first"):
        publish_import(context, amendment, "operator")
    for each in (batch, amendment, again):
        publish_import(context, each, "operator")
    assert [(again, 100), (amendment, 200)] == _seen(context)


@pytest.mark.parametrize("status", [Status.RECEIVED, Status.RUNNING, Status.FAILED, Status.DISCARDED, Status.PURGED])
def test_what_cannot_be_replayed_or_amended(
    context: Context, make_import: Callable[[Status], str], status: Status
) -> None:
    """The refusal names the state."""
    import_id = make_import(status)
    with pytest.raises(IllegalTransition) as refused:
        replay_import(context, import_id, "operator")
    assert status == refused.value.members["import_status"]
    with pytest.raises(IllegalTransition) as refused:
        read_options(context, {"parent_import_id": import_id})
    assert status == refused.value.members["import_status"]


def test_an_amendment_is_neither_replayed_nor_amended(
    context: Context, publish: Callable[..., str], make_lines: Callable[..., str]
) -> None:
    """It mends its batch: whoever wants more mends or replays the batch."""
    batch = publish(make_lines(100))
    amendment = publish(make_lines(200), parent_import_id=batch)
    with pytest.raises(IllegalTransition):
        replay_import(context, amendment, "operator")
    with pytest.raises(IllegalTransition):
        read_options(context, {"parent_import_id": amendment})


@pytest.mark.parametrize(
    ("given", "parameter"),
    [
        ({"parent_import_id": "01997c1e-4a00-7d5e-9c39-0f6a4cf0a1b2"}, "parent_import_id"),
        ({"parent_import_id": "no id"}, "parent_import_id"),
        ({"source": "another"}, "source"),
        ({"observed_at": "2020-01-01"}, "observed_at"),
    ],
)
def test_an_amendment_is_of_its_parents_crawl(
    context: Context, publish: Callable[..., str], make_lines: Callable[..., str], given: dict[str, str], parameter: str
) -> None:
    """What contradicts the parent is refused before anything is stored."""
    batch = publish(make_lines(100), source="s")
    with pytest.raises(InvalidParameter) as refused:
        read_options(context, {"parent_import_id": batch, **given})
    assert parameter == refused.value.members["parameter"]
    assert batch == read_options(context, {"parent_import_id": batch, "source": "s"}).parent_import_id


def test_without_its_artifact_nothing_can_be_replayed(
    context: Context, publish: Callable[..., str], make_lines: Callable[..., str], execute: Callable[..., list[Any]]
) -> None:
    """Imports found in the field have none; one whose file is gone says so."""
    batch = publish(make_lines(100))
    [stored] = report_import(context, batch).artifacts
    context.artifacts.locate(stored.sha256).unlink()
    with pytest.raises(ArtifactDamaged):
        replay_import(context, batch, "operator")
    execute("DELETE FROM import_artifacts")
    with pytest.raises(NothingToReplay):
        replay_import(context, batch, "operator")
