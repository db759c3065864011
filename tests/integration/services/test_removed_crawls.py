"""A crawl that was taken out: its bytes are no duplicate's, and no late retry brings it back (G6)."""

from collections.abc import Callable
from pathlib import Path

import pytest

from glyphd.domain.imports import Artifact, ImportFilters, Status
from glyphd.services.context import Context
from glyphd.services.idempotency import claim_key
from glyphd.services.options import ImportOptions
from glyphd.services.purging import PurgeTerms, purge_import
from glyphd.services.receiving import receive_import, store_file
from glyphd.services.replaying import replay_import
from glyphd.services.reporting import report_import, report_imports
from glyphd.services.rolling_back import restore_import, roll_back_import
from glyphd.services.running import run_next

KEY = "8e03978e-40d5-43dd-bc93-6894a57f9324"


def _purge(context: Context, import_id: str) -> None:
    roll_back_import(context, import_id, "ana")
    purge_import(context, import_id, PurgeTerms("ana"))


REMOVALS = {
    Status.ROLLED_BACK: lambda context, import_id: roll_back_import(context, import_id, "ana"),
    Status.PURGED: _purge,
}


@pytest.fixture
def artifact(context: Context, make_csv: Callable[..., Path]) -> Artifact:
    """A batch whose bytes are safe."""
    return store_file(context, make_csv({}))


def all_imports(context: Context) -> list[str]:
    """Return the ids of all imports, newest first."""
    return [report.import_id for report in report_imports(context, ImportFilters(), limit=100)[0]]


def test_what_is_rolled_back_is_nobodys_original(
    context: Context, publish: Callable[..., str], make_lines: Callable[..., str]
) -> None:
    """The next with the same bytes is, and the first again once it is restored or for good once it is purged."""
    first, second, third = [publish(make_lines(100), source="shop") for _ in range(3)]

    def originals() -> list[str | None]:
        return [report_import(context, each).duplicate_of for each in (first, second, third)]

    assert [None, first, first] == originals()
    roll_back_import(context, first, "ana")
    assert [None, None, second] == originals()
    restore_import(context, first, "ana")
    assert [None, first, first] == originals()
    _purge(context, first)
    assert [None, None, second] == originals()


@pytest.mark.parametrize("status", REMOVALS)
def test_a_late_retry_brings_nothing_back(context: Context, artifact: Artifact, status: Status) -> None:
    """It leads to the import that its key has, as that is now; nothing waits for a worker."""
    import_id = receive_import(context, ImportOptions(), [artifact], "me", claim=claim_key(context, KEY))
    run_next(context, "worker")
    REMOVALS[status](context, import_id)

    retried = receive_import(context, ImportOptions(), [artifact], "me", claim=claim_key(context, KEY))

    assert (import_id, status) == (retried, report_import(context, retried).status)
    assert [import_id] == all_imports(context)
    assert not run_next(context, "worker")


@pytest.mark.parametrize("status", REMOVALS)
def test_nor_does_one_of_a_replay(
    context: Context, publish: Callable[..., str], make_lines: Callable[..., str], status: Status
) -> None:
    """Its key has the replay, whatever became of it."""
    batch = publish(make_lines(100), source="shop")
    replay = replay_import(context, batch, "ana", claim=claim_key(context, KEY))
    run_next(context, "worker")
    REMOVALS[status](context, replay)

    assert replay == replay_import(context, batch, "ana", claim=claim_key(context, KEY))
    assert status is report_import(context, replay).status
    assert [replay, batch] == all_imports(context)


def test_sent_again_after_the_purge_it_is_whole(context: Context, make_csv: Callable[..., Path]) -> None:
    """Its bytes are stored anew."""
    file = make_csv({})
    first = receive_import(context, ImportOptions(), [store_file(context, file)], "me")
    run_next(context, "worker")
    _purge(context, first)

    second = receive_import(context, ImportOptions(), [store_file(context, file)], "me")
    run_next(context, "worker")

    report = report_import(context, second)
    assert (Status.PUBLISHED, None, 2) == (report.status, report.duplicate_of, report.source_version)
