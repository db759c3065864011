"""Purge: whose bytes are never taken away, and what a purge that dies leaves to whom."""

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from glyphd.artifacts.folder import ArtifactFolder
from glyphd.domain.imports import Artifact, Status
from glyphd.domain.receipts import PurgeReceipt
from glyphd.errors import ArtifactNotFound, StoreUnavailable
from glyphd.services import cleaning, purging
from glyphd.services.browsing import ListingQuery, browse_listings
from glyphd.services.cleaning import clean_next
from glyphd.services.context import Context
from glyphd.services.inspecting import inspect_artifact
from glyphd.services.options import ImportOptions
from glyphd.services.purging import PurgeTerms, purge_import
from glyphd.services.receiving import holding, receive_import, store_file
from glyphd.services.reporting import report_import
from glyphd.services.running import run_next
from glyphd.store import artifacts
from tests.integration.services.conftest import TABLES

TERMS = PurgeTerms("ana", "by request")


def sha_of(context: Context, import_id: str) -> str:
    """Return the digest of what an import was made from."""
    return inspect_artifact(context, import_id).artifact.sha256


def test_bytes_go_with_the_last_that_names_them(context: Context, make_rolled_back: Callable[..., str]) -> None:
    """Whoever else was made from them can still be replayed."""
    first, second = make_rolled_back(), make_rolled_back(source="other")
    sha256 = sha_of(context, first)

    assert [] == purge_import(context, first, TERMS).removed_artifacts
    assert context.artifacts.has(sha256)
    assert [sha256] == purge_import(context, second, TERMS).removed_artifacts
    assert not context.artifacts.has(sha256)


def test_artifacts_can_be_kept_and_purged_later(context: Context, make_rolled_back: Callable[..., str]) -> None:
    """With the rows gone, the bytes are still answered until they are purged as well."""
    import_id = make_rolled_back()
    sha256 = sha_of(context, import_id)

    assert [] == purge_import(context, import_id, replace(TERMS, keep_artifacts=True)).removed_artifacts
    assert sha256 == sha_of(context, import_id)
    assert {"self", "artifact", "events"} == report_import(context, import_id).links.keys()
    receipt = purge_import(context, import_id, TERMS)
    assert [sha256] == receipt.removed_artifacts
    assert ([], 0, 0) == (receipt.purged_imports, receipt.rows, receipt.rejections)


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
    context: Context, make_rolled_back: Callable[..., str], make_lines: Callable[..., str], tmp_path: Path
) -> None:
    """An upload whose bytes are stored, but not yet on the ledger, loses them to nobody."""
    import_id = make_rolled_back()
    with holding(context) as held:
        stored = store_file(held, _csv(tmp_path, make_lines(100, 200, 0)))
        assert [stored.sha256] == purge_import(context, import_id, TERMS).removed_artifacts

        late = _received(held, [stored])

    assert context.artifacts.verified(stored.sha256)
    assert Status.PUBLISHED is report_import(context, late).status
    assert not list((context.artifacts.location / "scratch").iterdir())


def test_bytes_that_nobody_holds_must_be_sent_again(
    context: Context, make_rolled_back: Callable[..., str], make_lines: Callable[..., str], tmp_path: Path
) -> None:
    """No import is written whose bytes are gone."""
    import_id = make_rolled_back()
    stored = store_file(context, _csv(tmp_path, make_lines(100, 200, 0)))
    purge_import(context, import_id, TERMS)

    with pytest.raises(StoreUnavailable, match="send it again"):
        _received(context, [stored])


def test_a_purge_waits_for_an_upload_of_the_same_bytes(
    context: Context,
    make_rolled_back: Callable[..., str],
    make_import: Callable[..., str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It comes to the artifact while an upload is about to name it, and then finds it named."""
    import_id, other = make_rolled_back(), make_import(Status.RECEIVED)
    stored = [replace(inspect_artifact(context, import_id).artifact, role="scored")]
    arrived = threading.Event()
    forget_artifact = artifacts.forget_artifact

    def forget(*given: Any) -> bool:
        arrived.set()
        return forget_artifact(*given)

    monkeypatch.setattr(artifacts, "forget_artifact", forget)
    told: list[PurgeReceipt] = []
    purge = threading.Thread(target=lambda: told.append(purge_import(context, import_id, TERMS)))

    with context.database.writing() as work:
        artifacts.insert_artifacts(work, other, stored, context.clock())
        purge.start()
        arrived.wait(0.5)  # on SQLite it does not even come there: whoever writes is alone
        time.sleep(0.3)  # for what it does next to come to the lock
        work.commit()
    purge.join(10)

    assert [[]] == [receipt.removed_artifacts for receipt in told]
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
    make_rolled_back: Callable[..., str],
    remaining: Callable[..., list[int]],
    monkeypatch: pytest.MonkeyPatch,
    *,
    worker: bool,
) -> None:
    """By a worker, or by whoever purges again; and before that nobody reads half of it."""
    monkeypatch.setattr(cleaning, "ROWS_PER_STEP", 1)
    moments = 0
    while _crash(context, import_id := make_rolled_back(source=str(moments)), moments):
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


def test_a_purge_that_died_beside_the_bytes_removes_them_later(
    context: Context, make_rolled_back: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are forgotten only once they are gone, so that no file stays of which nobody knows."""
    import_id = make_rolled_back()

    def dies(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(ArtifactFolder, "remove", dies)
        with pytest.raises(Killed):
            purge_import(context, import_id, TERMS)

    assert clean_next(context)
    assert not list(context.artifacts.location.glob("??/*"))


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
    context: Context, make_rolled_back: Callable[..., str], execute: Callable[..., list[Any]]
) -> None:
    """Raw and quantized listings hang on the imports of older tools."""
    import_id = make_rolled_back()
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
