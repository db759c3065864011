"""Purge: what goes for good, what stays to tell of it, and what is refused."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from glyphd.domain.imports import PublishMode, Status
from glyphd.errors import ArtifactNotFound, IllegalTransition, ImportNotFound
from glyphd.services.browsing import ListingQuery, browse_listings
from glyphd.services.context import Context
from glyphd.services.digesting import digest_import
from glyphd.services.discarding import discard_import
from glyphd.services.inspecting import inspect_artifact, inspect_events, inspect_rejections
from glyphd.services.publishing import publish_import
from glyphd.services.purging import PurgeTerms, find_purgeable, purge_import, purge_imports
from glyphd.services.replaying import replay_import
from glyphd.services.reporting import report_import
from glyphd.services.rolling_back import restore_import, roll_back_import
from tests.integration.services.conftest import TABLES

TERMS = PurgeTerms("ana", "by request")


def sha_of(context: Context, import_id: str) -> str:
    """Return the digest of what an import was made from."""
    return inspect_artifact(context, import_id).artifact.sha256


def test_a_purge_leaves_a_tombstone(
    context: Context, make_rolled_back: Callable[..., str], remaining: Callable[..., list[int]]
) -> None:
    """Rows, rejections and bytes are gone; who, when, how many and from which bytes is still told."""
    import_id = make_rolled_back()
    before, sha256 = report_import(context, import_id), sha_of(context, import_id)

    receipt = purge_import(context, import_id, TERMS)

    assert ([import_id], 2, 1, [sha256]) == (
        receipt.purged_imports, receipt.rows, receipt.rejections, receipt.removed_artifacts,
    )  # fmt: skip
    report = report_import(context, import_id)
    assert [0] * len(TABLES) == remaining(import_id)
    assert (Status.PURGED, 3, 2, 1, []) == (
        report.status, report.received, report.count, report.rejected, report.artifacts,
    )  # fmt: skip
    assert (before.imported_at, before.published_at, before.error_counts) == (
        report.imported_at, report.published_at, report.error_counts,
    )  # fmt: skip
    event = inspect_events(context, import_id, limit=100)[-1]
    assert ("ana", "purged", "by request", sha256) == (
        event.actor, event.action, event.reason, event.details["artifacts"][0]["sha256"],
    )  # fmt: skip
    assert not context.artifacts.has(sha256)
    assert {"self", "events"} == report.links.keys()
    assert ([], False) == inspect_rejections(context, import_id, limit=10)
    assert not browse_listings(context, ListingQuery(import_id=import_id), limit=10).items
    assert digest_import(context, import_id)
    with pytest.raises(ArtifactNotFound, match="purged"):
        inspect_artifact(context, import_id)


def test_purging_twice_changes_nothing(context: Context, make_rolled_back: Callable[..., str]) -> None:
    """The second one says so, and leaves no event."""
    import_id = make_rolled_back()
    purge_import(context, import_id, TERMS)
    told = inspect_events(context, import_id, limit=100)

    assert ([], 0) == ((receipt := purge_import(context, import_id, TERMS)).purged_imports, receipt.rows)
    assert told == inspect_events(context, import_id, limit=100)


@pytest.mark.parametrize("status", Status)
def test_what_can_be_purged(context: Context, make_import: Callable[..., str], status: Status) -> None:
    """What is rolled back, failed or discarded; everything else stays as it is, and says what is possible."""
    import_id = make_import(status)
    if status in {Status.ROLLED_BACK, Status.FAILED, Status.DISCARDED, Status.PURGED}:
        assert import_id == purge_import(context, import_id, TERMS).import_id
        assert Status.PURGED is report_import(context, import_id).status
        return

    with pytest.raises(IllegalTransition, match=f"is {status}") as refused:
        purge_import(context, import_id, TERMS)

    assert "purge" not in refused.value.members["possible"]
    assert status is report_import(context, import_id).status


def test_a_purged_import_cannot_come_back(context: Context, make_rolled_back: Callable[..., str]) -> None:
    """It is neither restored nor replayed nor rolled back once more."""
    import_id = make_rolled_back()
    purge_import(context, import_id, TERMS)

    for bring_back in (restore_import, roll_back_import, replay_import, publish_import):
        with pytest.raises(IllegalTransition, match="purged"):
            bring_back(context, import_id, "ana")


# -- what hangs on it --------------------------------------------------------------------------------------------------


@pytest.fixture
def family(context: Context, publish: Callable[..., str], make_lines: Callable[..., str]) -> list[str]:
    """A batch, its replay and its amendment; all are published, then the batch is rolled back."""
    batch = publish(make_lines(100, 0), source="shop")
    replay = replay_import(context, batch, "ana")
    amendment = publish(make_lines(7), parent_import_id=batch)
    roll_back_import(context, batch, "ana")
    return [batch, replay, amendment]


def test_what_others_hang_on_is_refused(context: Context, family: list[str]) -> None:
    """Nothing is left without its batch."""
    with pytest.raises(IllegalTransition, match=f"{family[2]}, {family[1]}"):
        purge_import(context, family[0], TERMS)

    assert [Status.ROLLED_BACK, Status.PUBLISHED, Status.PUBLISHED] == [
        report_import(context, each).status for each in family
    ]


def test_by_force_it_goes_with_all_that_hangs_on_it(
    context: Context, family: list[str], remaining: Callable[..., list[int]]
) -> None:
    """Each by the steps of its own life, so that each one's events tell it."""
    receipt = purge_import(context, family[0], replace(TERMS, force=True))

    assert [family[2], family[1], family[0]] == receipt.purged_imports
    assert [[0] * len(TABLES)] * 3 == [remaining(each) for each in family]
    assert 2 == len(receipt.removed_artifacts)
    assert ["rolled_back", "purged"] == [each.action for each in inspect_events(context, family[1], limit=100)][-2:]


def test_by_force_nothing_that_runs_is_taken_along(
    context: Context, publish: Callable[..., str], make_lines: Callable[..., str]
) -> None:
    """It is waited for, or discarded; then the batch goes with what was discarded."""
    batch = publish(make_lines(100), source="shop")
    replay = replay_import(context, batch, "ana")
    roll_back_import(context, batch, "ana")
    with pytest.raises(IllegalTransition, match=f"{replay} hangs on it and is received"):
        purge_import(context, batch, replace(TERMS, force=True))

    discard_import(context, replay, "ana")

    assert [replay, batch] == purge_import(context, batch, replace(TERMS, force=True)).purged_imports


def test_a_staged_amendment_goes_by_being_discarded(
    context: Context, publish: Callable[..., str], make_lines: Callable[..., str]
) -> None:
    """Its events say both."""
    batch = publish(make_lines(100), source="shop")
    staged = publish(make_lines(7), parent_import_id=batch, publish=PublishMode.HOLD)
    roll_back_import(context, batch, "ana")

    purge_import(context, batch, replace(TERMS, force=True))

    assert ["discarded", "purged"] == [each.action for each in inspect_events(context, staged, limit=100)][-2:]


def test_a_child_that_is_purged_holds_nothing_up(context: Context, family: list[str]) -> None:
    """The newest goes first, so that a batch can follow what hung on it in one sweep."""
    for each in family[1:]:
        restore_import(context, family[0], "ana")
        roll_back_import(context, each, "ana")
        roll_back_import(context, family[0], "ana")
    terms = replace(TERMS, actor="sweep")

    planned = list(purge_imports(context, family, terms, dry_run=True))

    assert [None] * 3 == [each.refusal for each in planned]
    assert [[each] for each in reversed(family)] == [each.purged_imports for each in planned]
    assert Status.ROLLED_BACK is report_import(context, family[0]).status
    assert [each.purged_imports for each in planned] == [
        each.purged_imports for each in purge_imports(context, family, terms)
    ]


# -- sweeps ------------------------------------------------------------------------------------------------------------


def test_the_age_counts_from_the_last_change(context: Context, make_rolled_back: Callable[..., str]) -> None:
    """Not from the import, nor from a roll back that was taken back."""
    first, second = make_rolled_back(), make_rolled_back(7, source="other")
    later = replace(context, clock=lambda: context.clock() + timedelta(days=80))
    restore_import(later, second, "ana")
    roll_back_import(later, second, "ana")

    def found(days: int) -> list[str]:
        now = replace(context, clock=lambda: context.clock() + timedelta(days=days))
        return find_purgeable(now, [Status.ROLLED_BACK], timedelta(days=90))

    assert ([], [first], [second, first]) == (found(89), found(91), found(171))
    assert [] == find_purgeable(later, [Status.FAILED, Status.DISCARDED], timedelta())


def test_one_that_is_refused_stops_no_other(
    context: Context, family: list[str], make_rolled_back: Callable[..., str]
) -> None:
    """It says why; an import that is not there is known before anything is done."""
    other = make_rolled_back(7, source="other")
    with pytest.raises(ImportNotFound):
        list(purge_imports(context, [other, "0190a8f0-0000-7000-8000-000000000000"], TERMS))

    told = list(purge_imports(context, [family[0], other], TERMS))

    assert [(other, True), (family[0], False)] == [(each.import_id, each.refusal is None) for each in told]
