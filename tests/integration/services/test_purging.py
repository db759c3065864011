"""Purge: what goes for good, what stays to tell of it, and whose bytes are never taken away."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from glyphd.domain.imports import Artifact, PublishMode, Status
from glyphd.errors import ArtifactNotFound, IllegalTransition, ImportNotFound, StoreUnavailable
from glyphd.services import cleaning, purging
from glyphd.services.browsing import ListingQuery, browse_listings
from glyphd.services.cleaning import clean_next
from glyphd.services.context import Context
from glyphd.services.digesting import digest_import
from glyphd.services.discarding import discard_import
from glyphd.services.inspecting import inspect_artifact, inspect_events, inspect_rejections
from glyphd.services.options import ImportOptions
from glyphd.services.publishing import publish_import
from glyphd.services.purging import PurgeTerms, find_purgeable, purge_import, purge_imports
from glyphd.services.receiving import holding, receive_import, store_file
from glyphd.services.replaying import replay_import
from glyphd.services.reporting import report_import
from glyphd.services.rolling_back import restore_import, roll_back_import
from glyphd.services.running import run_next
from glyphd.store import artifacts

TERMS = PurgeTerms("ana", "by request")
TABLES = ("sightings", "import_model_stats", "import_facets", "scored_listings", "import_rejections")


@pytest.fixture
def shop(context: Context, publish: Callable[..., str], make_lines: Callable[..., str]) -> Callable[..., str]:
    """Make a batch of two rows and a rejection, and roll it back."""

    def make(price: float = 100, source: str = "shop") -> str:
        import_id = publish(make_lines(price, 200, 0), source=source)
        roll_back_import(context, import_id, "ana")
        return import_id

    return make


@pytest.fixture
def remaining(count_rows: Callable[..., int]) -> Callable[[str], list[int]]:
    """Count what is left of an import, by table."""
    return lambda import_id: [count_rows(import_id, table) for table in TABLES]


def sha_of(context: Context, import_id: str) -> str:
    """Return the digest of what an import was made from."""
    return inspect_artifact(context, import_id).artifact.sha256


def test_a_purge_leaves_a_tombstone(
    context: Context, shop: Callable[..., str], remaining: Callable[..., list[int]]
) -> None:
    """Rows, rejections and bytes are gone; who, when, how many and from which bytes is still told."""
    import_id = shop()
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
    assert ([], False) == inspect_rejections(context, import_id, limit=10)
    assert not browse_listings(context, ListingQuery(import_id=import_id), limit=10).items
    assert digest_import(context, import_id)
    with pytest.raises(ArtifactNotFound, match="purged"):
        inspect_artifact(context, import_id)


def test_purging_twice_changes_nothing(context: Context, shop: Callable[..., str]) -> None:
    """The second one says so, and leaves no event."""
    import_id = shop()
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


def test_a_purged_import_cannot_come_back(context: Context, shop: Callable[..., str]) -> None:
    """It is neither restored nor replayed nor rolled back once more."""
    import_id = shop()
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


def test_the_age_counts_from_the_last_change(context: Context, shop: Callable[..., str]) -> None:
    """Not from the import, nor from a roll back that was taken back."""
    first, second = shop(), shop(7, source="other")
    later = replace(context, clock=lambda: context.clock() + timedelta(days=80))
    restore_import(later, second, "ana")
    roll_back_import(later, second, "ana")

    def found(days: int) -> list[str]:
        now = replace(context, clock=lambda: context.clock() + timedelta(days=days))
        return find_purgeable(now, [Status.ROLLED_BACK], timedelta(days=90))

    assert ([], [first], [second, first]) == (found(89), found(91), found(171))
    assert [] == find_purgeable(later, [Status.FAILED, Status.DISCARDED], timedelta())


def test_one_that_is_refused_stops_no_other(context: Context, family: list[str], shop: Callable[..., str]) -> None:
    """It says why; an import that is not there is known before anything is done."""
    other = shop(7, source="other")
    with pytest.raises(ImportNotFound):
        list(purge_imports(context, [other, "0190a8f0-0000-7000-8000-000000000000"], TERMS))

    told = list(purge_imports(context, [family[0], other], TERMS))

    assert [(other, True), (family[0], False)] == [(each.import_id, each.refusal is None) for each in told]


# -- bytes are shared --------------------------------------------------------------------------------------------------


def test_bytes_go_with_the_last_that_names_them(context: Context, shop: Callable[..., str]) -> None:
    """Whoever else was made from them can still be replayed."""
    first, second = shop(), shop(source="other")
    sha256 = sha_of(context, first)

    assert [] == purge_import(context, first, TERMS).removed_artifacts
    assert context.artifacts.has(sha256)
    assert [sha256] == purge_import(context, second, TERMS).removed_artifacts
    assert not context.artifacts.has(sha256)


def test_artifacts_can_be_kept_and_purged_later(context: Context, shop: Callable[..., str]) -> None:
    """With the rows gone, the bytes are still answered until they are purged as well."""
    import_id = shop()
    sha256 = sha_of(context, import_id)

    assert [] == purge_import(context, import_id, replace(TERMS, keep_artifacts=True)).removed_artifacts
    assert sha256 == sha_of(context, import_id)
    assert [sha256] == purge_import(context, import_id, TERMS).removed_artifacts


def _received(context: Context, stored: list[Artifact]) -> str:
    import_id = receive_import(context, ImportOptions(source="late"), stored, "test")
    while run_next(context, "worker"):
        pass
    return import_id


def _csv(tmp_path: Path, lines: str) -> Path:
    file = tmp_path / "again.csv"
    file.write_text(lines, encoding="utf-8")
    return file


def test_bytes_purged_under_an_upload_are_put_back(
    context: Context, shop: Callable[..., str], make_lines: Callable[..., str], tmp_path: Path
) -> None:
    """An upload whose bytes are stored, but not yet on the ledger, loses them to nobody."""
    import_id = shop()
    with holding(context) as held:
        stored = store_file(held, _csv(tmp_path, make_lines(100, 200, 0)))
        assert [stored.sha256] == purge_import(context, import_id, TERMS).removed_artifacts

        late = _received(held, [stored])

    assert context.artifacts.verified(stored.sha256)
    assert Status.PUBLISHED is report_import(context, late).status
    assert not list((context.artifacts.location / "scratch").iterdir())


def test_bytes_that_nobody_holds_must_be_sent_again(
    context: Context, shop: Callable[..., str], make_lines: Callable[..., str], tmp_path: Path
) -> None:
    """No import is written whose bytes are gone."""
    import_id = shop()
    stored = store_file(context, _csv(tmp_path, make_lines(100, 200, 0)))
    purge_import(context, import_id, TERMS)

    with pytest.raises(StoreUnavailable, match="send it again"):
        _received(context, [stored])


def test_a_purge_waits_for_an_upload_of_the_same_bytes(
    context: Context, shop: Callable[..., str], make_import: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It comes to the artifact while an upload is about to name it, and then finds it named."""
    import_id, other = shop(), make_import(Status.RECEIVED)
    stored = [replace(inspect_artifact(context, import_id).artifact, role="scored")]
    arrived = threading.Event()
    forget_artifact = artifacts.forget_artifact

    def forget(*given: Any) -> bool:
        arrived.set()
        return forget_artifact(*given)

    monkeypatch.setattr(artifacts, "forget_artifact", forget)
    purge = threading.Thread(target=purge_import, args=(context, import_id, TERMS))

    with context.database.writing() as work:
        artifacts.insert_artifacts(work, other, stored, context.clock())
        purge.start()
        arrived.wait(0.5)  # on SQLite it does not even come there: whoever writes is alone
        work.commit()
    purge.join(10)

    assert not purge.is_alive()
    assert context.artifacts.has(stored[0].sha256)


# -- crashes -----------------------------------------------------------------------------------------------------------


class Killed(BaseException):
    """Stands for the end of the process."""


def _dying(context: Context, monkeypatch: pytest.MonkeyPatch, after: int) -> None:
    """Let the process die at the beginning of a transaction, so many after the first one."""
    database, begun = context.database, iter(range(1_000_000))
    writing = type(database).writing

    def dies(self: Any, **given: Any) -> Any:
        if next(begun) == after:
            raise Killed
        return writing(self, **given)

    monkeypatch.setattr(type(database), "writing", dies)


def _crash(context: Context, import_id: str, after: int) -> bool:
    with pytest.MonkeyPatch.context() as patched:
        _dying(context, patched, after)
        try:
            purge_import(context, import_id, TERMS)
        except Killed:
            return True
    return False


@pytest.mark.parametrize("worker", [True, False])
def test_a_purge_that_died_is_finished(
    context: Context,
    shop: Callable[..., str],
    remaining: Callable[..., list[int]],
    monkeypatch: pytest.MonkeyPatch,
    *,
    worker: bool,
) -> None:
    """By a worker, or by whoever purges again; and before that nobody reads half of it."""
    monkeypatch.setattr(cleaning, "ROWS_PER_STEP", 1)
    moments = 0
    while _crash(context, import_id := shop(source=str(moments)), moments):
        if moments:
            assert not browse_listings(context, ListingQuery(import_id=import_id), limit=10).items
            with pytest.raises(ArtifactNotFound):
                inspect_artifact(context, import_id)
        if worker and moments:
            while clean_next(context):
                pass
        else:
            purge_import(context, import_id, TERMS)
        assert [0] * len(TABLES) == remaining(import_id)
        assert not list(context.artifacts.location.glob("??/*"))
        moments += 1
    assert 15 < moments


def test_a_cleaner_that_is_overtaken_by_a_purge_leaves_the_rest_marked(
    context: Context, publish: Callable[..., str], make_lines: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It began with an import that had failed, whose rejections stay: what is purged has more to remove."""
    import_id = publish(make_lines(100, 0), on_error="abort")

    def overtaken(*given: Any, **options: Any) -> Iterator[Any]:
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(purging, "clean_import", lambda *_: None)
            purge_import(context, import_id, TERMS)
        return iter(())

    with monkeypatch.context() as patched:
        patched.setattr(cleaning, "remove_rows", overtaken)
        assert clean_next(context)

    assert clean_next(context)
    assert not clean_next(context)
    with context.database.reading() as connection:
        query = text("SELECT count(*) FROM import_rejections WHERE import_id = :import_id")
        assert 0 == connection.execute(query, {"import_id": import_id}).scalar_one()


def test_rows_from_the_field_go_too(
    context: Context, shop: Callable[..., str], execute: Callable[..., list[Any]]
) -> None:
    """Raw and quantized listings hang on the imports of older tools."""
    import_id = shop()
    execute(
        "INSERT INTO listings (title, price, canonical_model, match_type, match_score, import_id, import_index)"
        " VALUES ('h', 1, 'H100', 'exact', 1, :import_id, 1)",
        import_id=import_id,
    )
    execute(
        "INSERT INTO quantized_listings"
        " (scored_listing_id, model_7b, model_13b, model_70b, import_id, import_index)"
        " SELECT id, 1, 1, 1, import_id, import_index FROM scored_listings WHERE import_id = :import_id",
        import_id=import_id,
    )

    purge_import(context, import_id, TERMS)

    assert [(0,)] * 2 == [execute(f"SELECT count(*) FROM {table}")[0] for table in ("listings", "quantized_listings")]
