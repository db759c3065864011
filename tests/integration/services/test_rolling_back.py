"""Roll back and restore: out of every read and back in, and what the receipt says of it."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from glyphd.domain.imports import PublishMode, Status
from glyphd.errors import IllegalTransition, ImportNotFound
from glyphd.services.browsing import ListingQuery, browse_listings
from glyphd.services.context import Context
from glyphd.services.inspecting import inspect_events
from glyphd.services.replaying import replay_import
from glyphd.services.reporting import report_import
from glyphd.services.rolling_back import restore_import, roll_back_import
from glyphd.services.running import run_next
from glyphd.services.surveying import survey_models, survey_sources

START = datetime(2026, 7, 1, tzinfo=UTC)
CHANGES = {Status.ROLLED_BACK: roll_back_import, Status.PUBLISHED: restore_import}


def visible(context: Context) -> list[str]:
    """Return of which import each listing is that anybody reads."""
    return [row["import_id"] for row in browse_listings(context, ListingQuery(), limit=100).items]


@pytest.fixture
def crawls(publish: Callable[..., str], make_lines: Callable[..., str]) -> list[str]:
    """Three published batches of one source, a day apart, of one, two and three rows."""
    return [
        publish(make_lines(*range(100, 100 + rows)), source="shop", observed_at=START + timedelta(rows))
        for rows in (1, 2, 3)
    ]


def test_a_roll_back_tells_what_it_did(context: Context, crawls: list[str]) -> None:
    """How many rows are hidden, what comes after it, and what the source shows now."""
    receipt = roll_back_import(context, crawls[1], "ana", "half a crawl")

    assert (True, Status.ROLLED_BACK, 2, 0) == (
        receipt.changed, receipt.status, receipt.rows_hidden, receipt.rows_shown,
    )  # fmt: skip
    assert ([crawls[1]], []) == (receipt.hidden_imports, receipt.shown_imports)
    assert [(crawls[2], 3, START + timedelta(3), 3, [crawls[2]])] == [
        (each.import_id, each.source_version, each.observed_at, each.count, each.import_ids)
        for each in receipt.later_imports
    ]
    assert receipt.later_imports[0] == receipt.current_view


def test_the_source_shows_the_batch_before(context: Context, crawls: list[str]) -> None:
    """Once the latest one is rolled back; with none left it shows nothing."""
    assert [crawls[1], crawls[0], None] == [
        view.import_id if (view := roll_back_import(context, each, "ana").current_view) else None
        for each in reversed(crawls)
    ]
    assert ([], []) == (visible(context), survey_models(context, limit=10))
    assert [None] == [source.current_import_id for source in survey_sources(context)]


def test_restored_it_is_read_as_before(context: Context, crawls: list[str]) -> None:
    """Every read and the report are what they were; the audit trail has both."""
    before = visible(context), survey_models(context, limit=10), report_import(context, crawls[2])
    roll_back_import(context, crawls[2], "ana", "half a crawl")
    assert crawls[2] not in visible(context)
    receipt = restore_import(context, crawls[2], "bo", "it was whole")

    assert (True, 0, 3, [crawls[2]]) == (
        receipt.changed, receipt.rows_hidden, receipt.rows_shown, receipt.shown_imports,
    )  # fmt: skip
    assert before == (visible(context), survey_models(context, limit=10), report_import(context, crawls[2]))
    assert [
        ("ana", "rolled_back", Status.ROLLED_BACK, "half a crawl"),
        ("bo", "restored", Status.PUBLISHED, "it was whole"),
    ] == [
        (event.actor, event.action, event.status, event.reason)
        for event in inspect_events(context, crawls[2], limit=10)[-2:]
    ]


@pytest.mark.parametrize("status", CHANGES)
def test_asked_twice_it_does_nothing_more(context: Context, crawls: list[str], status: Status) -> None:
    """The second receipt says so, and the audit trail has one event."""
    for each in CHANGES.values():
        each(context, crawls[0], "ana")
    CHANGES[status](context, crawls[0], "ana")
    events = inspect_events(context, crawls[0], limit=100)
    again = CHANGES[status](context, crawls[0], "bo")

    assert (False, status, 0, 0, [], []) == (
        again.changed, again.status, again.rows_hidden, again.rows_shown, again.hidden_imports, again.shown_imports,
    )  # fmt: skip
    assert events == inspect_events(context, crawls[0], limit=100)


def test_what_hangs_on_a_batch_goes_and_comes_with_it(
    context: Context, crawls: list[str], publish: Callable[..., str], make_lines: Callable[..., str]
) -> None:
    """A replay stands for its batch and an amendment adds to it: rolled back on its own, each gives way again."""
    batch = crawls[0]
    amendment = publish(make_lines(500), parent_import_id=batch)
    replay = replay_import(context, batch, "ana")
    run_next(context, "worker")

    assert {amendment, replay} == set(roll_back_import(context, batch, "ana").hidden_imports)
    assert {amendment, replay} == set(restore_import(context, batch, "ana").shown_imports)
    receipt = roll_back_import(context, replay, "ana")
    assert ([replay], [batch]) == (receipt.hidden_imports, receipt.shown_imports)
    assert {batch, amendment, *crawls[1:]} == set(visible(context))


def test_what_hangs_on_a_hidden_batch_cannot_be_restored(context: Context, crawls: list[str]) -> None:
    """The batch has to be first; the refusal names it."""
    replay = replay_import(context, crawls[0], "ana")
    run_next(context, "worker")
    roll_back_import(context, replay, "ana")
    roll_back_import(context, crawls[0], "ana")
    with pytest.raises(IllegalTransition) as refused:
        restore_import(context, replay, "ana")

    assert crawls[0] == refused.value.members["parent_import_id"]
    restore_import(context, crawls[0], "ana")
    assert [replay] == restore_import(context, replay, "ana").shown_imports


@pytest.mark.parametrize("status", Status)
@pytest.mark.parametrize("wanted", CHANGES)
def test_each_state(context: Context, make_import: Callable[[Status], str], status: Status, wanted: Status) -> None:
    """Only what is published or rolled back can be either; the refusal names the state and what is possible in it."""
    import_id = make_import(status)
    if status in CHANGES:
        assert wanted is CHANGES[wanted](context, import_id, "ana").status
        return
    events = inspect_events(context, import_id, limit=100)
    with pytest.raises(IllegalTransition, match=f"is {status}") as refused:
        CHANGES[wanted](context, import_id, "ana")

    assert not {"rollback", "restore"} & set(refused.value.members["possible"])
    assert (status, events) == (report_import(context, import_id).status, inspect_events(context, import_id, limit=100))


def test_an_unknown_import(context: Context) -> None:
    """Nobody's id is nobody's import."""
    for change in CHANGES.values():
        with pytest.raises(ImportNotFound):
            change(context, "01997c1e-4a00-7d5e-9c39-0f6a4cf0a1b2", "ana")


def test_what_a_later_batch_follows(
    context: Context, crawls: list[str], publish: Callable[..., str], make_lines: Callable[..., str]
) -> None:
    """It follows the latest one that is published; that its predecessor is rolled back later changes nothing."""
    roll_back_import(context, crawls[2], "ana")
    following = publish(make_lines(7), source="shop", observed_at=START + timedelta(9), publish=PublishMode.HOLD)
    roll_back_import(context, crawls[1], "ana")

    assert crawls[1] == report_import(context, following).previous_import_id
