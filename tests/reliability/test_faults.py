"""The fault table: what can go wrong around an import, each with the tests that make it go wrong, on every engine.

A worker that is killed at a step of the life cycle, one that is stopped past its lease, and a clock that steps back
have modules of their own; :data:`FAULTS` names them. The others are here.
"""

import dataclasses
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from importlib import import_module
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import event, text

from glyphd.artifacts.folder import path_of
from glyphd.domain.imports import Status
from glyphd.errors import StoreUnavailable
from glyphd.services.browsing import ListingQuery, browse_listings
from glyphd.services.context import Context
from glyphd.services.reporting import report_import
from glyphd.services.running import run_next
from glyphd.store.database import Database
from tests.engines import PostgresDatabases, only_postgresql, server_or_skip
from tests.reliability.batches import Batch
from tests.reliability.dying import later
from tests.reliability.ledger import all_finished, check_installation, submit
from tests.reliability.processes import Installation, wait_until
from tools.postgres import PostgresServer

FAULTS = {
    "the database restarts during an import": ["test_faults::test_the_database_restarts_during_an_import"],
    "the connection is cut between the last row and the commit": [
        "test_faults::test_a_connection_is_cut_before_a_commit"
    ],
    "a worker is killed at each step of the life cycle": [
        "test_crash_points::test_a_worker_may_die_at_every_commit",
        "test_crash_points::test_a_cleaner_may_die_at_every_commit",
        "test_crash_points::test_a_server_may_die_at_the_commit_of_a_receipt",
        "test_kill_worker::test_imports_survive_workers_that_are_killed",
    ],
    "a worker is stopped past its lease and goes on": [
        "test_lost_lease::test_a_worker_paused_past_its_lease_can_write_nothing_more",
        "test_lost_lease::test_a_worker_paused_inside_a_transaction_is_cut_off",
    ],
    "an artifact is missing, or has a wrong digest": ["test_faults::test_an_artifact_is_not_what_was_submitted"],
    "the disk of the database is full": [
        "test_full_disk::test_an_import_that_fills_the_disk_fails_and_the_next_one_succeeds"
    ],
    "the disk of the artifacts is full": [
        "test_full_disk::test_a_submission_that_does_not_fit_is_refused_and_leaves_nothing"
    ],
    "the pool is exhausted": ["test_faults::test_all_connections_are_in_use"],
    "a reader takes very long": ["test_faults::test_a_long_running_reader"],
    "the clock steps back an hour": ["test_lost_lease::test_a_clock_that_steps_back_an_hour_delays_nothing"],
}


@pytest.mark.parametrize("fault", FAULTS)
def test_every_fault_has_its_tests(fault: str) -> None:
    """The table names tests that there are."""
    for named in FAULTS[fault]:
        module, _, name = named.partition("::")
        assert callable(getattr(import_module(f"tests.reliability.{module}"), name))


@pytest.fixture
def own_server() -> Iterator[PostgresServer]:
    """A server that only this test uses, so that it may be stopped."""
    with server_or_skip() as server:
        yield server


@pytest.fixture
def installation_on(
    own_server: PostgresServer, tmp_path: Path, make_installation: Callable[..., Installation]
) -> Iterator[Callable[..., Installation]]:
    """Make an installation on the test's own server."""
    databases = PostgresDatabases(own_server.url())
    yield lambda **values: make_installation(database_url=databases.migrated(tmp_path), **values)
    databases.disconnect()


@only_postgresql
@pytest.mark.parametrize("crash", [False, True], ids=["restarted", "crashed"])
def test_the_database_restarts_during_an_import(
    own_server: PostgresServer, installation_on: Callable[..., Installation], crash: bool
) -> None:
    """Requests are answered 503 while it is away; then the worker goes on by itself, and nothing is lost or doubled."""
    installation = installation_on(lease_seconds=1)
    batch = Batch("restart", 150_000)
    server, worker = installation.start_server(), installation.start_worker()
    answer = httpx.post(
        f"{server.url}/api/import?source=restart", content=batch.content, headers={"content-type": "text/csv"}
    )
    assert 202 == answer.status_code
    wait_until(lambda: _rows(installation.context) > 0, every=0.005)
    own_server.stop(crash=crash)
    assert 503 == httpx.get(f"{server.url}/api/listings", timeout=30).status_code
    own_server.start()
    assert 200 == httpx.get(f"{server.url}/api/listings", timeout=30).status_code
    wait_until(lambda: all_finished(installation.context))
    assert worker.is_alive()
    assert "import.interrupted" in installation.events()
    check_installation(installation.context, [batch])


@only_postgresql  # SQLite has no connection that could be cut: there its process dies, see test_crash_points
@pytest.mark.parametrize("commit", [1, 2, 3, 4, -1], ids=["claim", "rows", "last rows", "sightings", "publication"])
def test_a_connection_is_cut_before_a_commit(context: Context, commit: int) -> None:
    """Whatever was not committed is gone, nothing of it shows, and the import is taken over and finished."""
    batch = Batch("cut", 100_000)  # two steps of rows
    number = commit if commit > 0 else _count_commits(context, batch)
    import_id = submit(context, batch)
    cut = _Cut(context, number)
    try:
        run_next(context, "worker")
    except StoreUnavailable:
        assert commit == 1  # the claim itself
    cut.remove()
    assert cut.done
    assert Status.PUBLISHED is not report_import(context, import_id).status
    assert [] == [
        row for row in browse_listings(context, ListingQuery(), limit=1).items if row["import_id"] == import_id
    ]
    run_next(later(context), "successor")
    assert Status.PUBLISHED is report_import(context, import_id).status


class _Cut:
    """Ends the connection of whoever is about to commit for the n-th time."""

    def __init__(self, context: Context, number: int) -> None:
        self.done = False
        self.seen = 0
        self._number = number
        self._engine = context.database.engine
        event.listen(self._engine, "before_cursor_execute", self._count)

    def remove(self) -> None:
        event.remove(self._engine, "before_cursor_execute", self._count)

    def _count(self, connection: Any, cursor: Any, statement: str, *_: Any) -> None:
        self.seen += statement == "COMMIT"
        if statement == "COMMIT" and self.seen == self._number:
            self.done = True
            pid = cursor.connection.info.backend_pid
            with self._engine.connect() as other:
                other.execute(text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": pid})


def _count_commits(context: Context, batch: Batch) -> int:
    """Return how many commits it takes a worker to run a batch."""
    submit(context, batch)
    counting = _Cut(context, 0)
    run_next(context, "worker")
    counting.remove()
    return counting.seen


@pytest.mark.parametrize("damage", ["missing", "changed", "cut short"])
def test_an_artifact_is_not_what_was_submitted(make_installation: Callable[..., Installation], damage: str) -> None:
    """The import fails and says so, nothing shows, and the worker runs the next one."""
    installation = make_installation()
    context = installation.context
    bad, good = Batch("bad", 100), Batch("good", 100)
    import_id = submit(context, bad)
    path = path_of(installation.settings.artifacts_folder, report_import(context, import_id).artifacts[0].sha256)
    content = path.read_bytes()
    path.unlink()
    if damage != "missing":
        path.write_bytes(content[:-10] if damage == "cut short" else content.replace(b"350", b"351"))
    submit(context, good)
    while run_next(context, "worker"):
        pass
    report = report_import(context, import_id)
    assert (Status.FAILED, "artifact_damaged") == (report.status, (report.failure or {})["code"])
    page = browse_listings(context, ListingQuery(), limit=1000)
    assert [row[0] for row in good.rows] == [row["import_index"] for row in page.items]


def test_all_connections_are_in_use(context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who waits too long for one is told that the store is busy; as soon as one is free there is an answer again."""
    url = context.database.url.render_as_string(hide_password=False)
    narrow = dataclasses.replace(context, database=Database(url, pool_size=2))
    monkeypatch.setattr(narrow.database.engine.pool, "_timeout", 0.1)
    batch = Batch("pool", 100)
    with ExitStack() as stack:
        _take_all_connections(narrow, stack)
        with pytest.raises(StoreUnavailable, match="in use"):
            submit(narrow, batch)
        with pytest.raises(StoreUnavailable, match="in use"):
            run_next(narrow, "worker")
    submit(narrow, batch)
    assert run_next(narrow, "worker")
    narrow.database.dispose()
    check_installation(context, [batch])


def _take_all_connections(context: Context, stack: ExitStack) -> None:
    """Read until there is no connection left, and go on reading as long as the stack is open."""
    with suppress(StoreUnavailable):
        while True:
            stack.enter_context(context.database.reading())


def test_a_long_running_reader(make_installation: Callable[..., Installation]) -> None:
    """It keeps its snapshot to the end, holds up neither imports nor cleaning, and sees what is new only afterwards."""
    context = make_installation().context
    first, second, unwanted = Batch("first", 30_000), Batch("second", 30_000), Batch("unwanted", 30_000)
    submit(context, first)
    run_next(context, "worker")
    with context.database.reading() as connection:
        seen = connection.execute(text("SELECT count(*) FROM visible_listings")).scalar_one()
        began = time.monotonic()
        for batch in (second, unwanted):
            submit(context, batch)
            run_next(context, "worker")
        took = time.monotonic() - began
        assert seen == connection.execute(text("SELECT count(*) FROM visible_listings")).scalar_one()
    assert 20 > took
    with context.database.reading() as connection:
        now = connection.execute(text("SELECT count(*) FROM visible_listings")).scalar_one()
    assert (len(first.rows), 3 * len(first.rows)) == (seen, now)
    check_installation(context, [first, second, unwanted])


def _rows(context: Context) -> int:
    with context.database.reading() as connection:
        return int(connection.execute(text("SELECT count(*) FROM scored_listings")).scalar_one())
