"""What a worker process does between its start and its end."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from glyphd.domain.imports import Status
from glyphd.errors import NoSpaceLeft
from glyphd.services.context import Context
from glyphd.services.options import ImportOptions
from glyphd.services.receiving import receive_import, store_file
from glyphd.services.reporting import report_import
from glyphd.store.database import Database
from glyphd.worker import loop
from glyphd.worker.loop import work, worker_name


def test_a_worker_runs_what_waits_and_stops_when_told(context: Context, make_csv: Callable[..., Path]) -> None:
    """All of it, in the order of receipt."""
    ids = [receive_import(context, ImportOptions(), [store_file(context, make_csv({}))], "test") for _ in range(3)]
    work(context, "worker", lambda: all(report_import(context, id_).status is Status.PUBLISHED for id_ in ids))
    versions = [report_import(context, id_).previous_import_id for id_ in ids]
    assert [None, *ids[:2]] == versions


def test_a_worker_that_is_told_at_once_does_nothing(context: Context, make_csv: Callable[..., Path]) -> None:
    """What waits goes on waiting."""
    import_id = receive_import(context, ImportOptions(), [store_file(context, make_csv({}))], "test")
    work(context, "worker", lambda: True)
    assert Status.RECEIVED is report_import(context, import_id).status


def test_a_worker_outlives_trouble_of_the_store(
    context: Context, make_csv: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It waits and goes on: the imports are not at fault."""
    monkeypatch.setattr(loop, "TROUBLE_SECONDS", 0)
    import_id = receive_import(context, ImportOptions(), [store_file(context, make_csv({}))], "test")
    reading, troubles = Database.reading, iter([NoSpaceLeft()])

    @contextmanager
    def troubled(self: Database) -> Iterator[object]:
        for trouble in troubles:
            raise trouble
        with reading(self) as connection:
            yield connection

    monkeypatch.setattr(Database, "reading", troubled)
    turns = iter([False, False, True])
    work(context, "worker", lambda: next(turns))
    assert Status.PUBLISHED is report_import(context, import_id).status


def test_names_are_never_given_twice() -> None:
    """A worker is told from its predecessor even if it has the same process id."""
    assert worker_name() != worker_name()
