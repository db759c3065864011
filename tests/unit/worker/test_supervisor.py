"""The supervisor keeps its number of workers alive; a script stands for the worker, so that it starts at once."""

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from glyphd.domain.imports import Status
from glyphd.errors import StoreUnavailable
from glyphd.services.context import Context
from glyphd.services.options import ImportOptions
from glyphd.services.receiving import receive_import, store_file
from glyphd.services.reporting import report_import
from glyphd.services.running import claim_next, run_next
from glyphd.settings import Settings
from glyphd.store.database import Database
from glyphd.worker import supervisor
from glyphd.worker.supervisor import WorkerSupervisor, environment_of

_SCRIPT = """#!/bin/sh
echo "$$ $5 $GLYPHD_LEASE_SECONDS" >> {log}
{trap}
while true; do sleep 0.05; done
"""


@pytest.fixture
def started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[tuple[int, str, str]]]:
    """Put a script in the worker's place; return process id, worker name and lease of each that was started."""

    def read() -> list[tuple[int, str, str]]:
        lines = log.read_text().splitlines() if log.exists() else []
        return [(int(pid), name, lease) for pid, name, lease in map(str.split, lines)]

    log = tmp_path / "started"
    monkeypatch.setattr(sys, "executable", str(tmp_path / "worker"))
    _write(tmp_path / "worker", _SCRIPT.format(log=log, trap=""))
    return read


@pytest.fixture
def supervised(
    make_context: Callable[..., Context], make_settings: Callable[..., Settings]
) -> Iterator[Callable[..., tuple[WorkerSupervisor, Context]]]:
    """Start workers over a fresh installation; they are stopped in the end."""
    made: list[WorkerSupervisor] = []

    def start(workers: int) -> tuple[WorkerSupervisor, Context]:
        context = make_context(lease_seconds=7)
        made.append(WorkerSupervisor(context, make_settings(lease_seconds=7)))
        made[-1].start(workers)
        return made[-1], context

    yield start
    for one in made:
        one.stop()


def test_workers_are_started_with_the_servers_settings(
    supervised: Callable[..., tuple[WorkerSupervisor, Context]], started: Callable[..., list[tuple[int, str, str]]]
) -> None:
    """As many as asked for, each under a name of its own."""
    supervised(3)
    _wait_for(lambda: len(started()) == 3)
    assert 3 == len({name for _, name, _ in started()})
    assert {"7.0"} == {lease for _, _, lease in started()}


def test_a_dead_worker_is_replaced_and_its_import_freed(
    supervised: Callable[..., tuple[WorkerSupervisor, Context]],
    started: Callable[..., list[tuple[int, str, str]]],
    make_csv: Callable[..., Path],
) -> None:
    """Nobody waits for its lease to run out; the imports of others keep theirs."""
    _, context = supervised(1)
    _wait_for(lambda: len(started()) == 1)
    ((pid, name, _),) = started()
    ids = [receive_import(context, ImportOptions(), [store_file(context, make_csv({}))], "test") for _ in range(2)]
    claim_next(context, name)
    claim_next(context, "another")
    os.kill(pid, signal.SIGKILL)
    _wait_for(lambda: len(started()) == 2)
    while run_next(context, "successor"):
        pass
    assert [Status.PUBLISHED, Status.RUNNING] == [report_import(context, import_id).status for import_id in ids]


def test_a_store_that_is_away_keeps_no_worker_from_being_replaced(
    supervised: Callable[..., tuple[WorkerSupervisor, Context]],
    started: Callable[..., list[tuple[int, str, str]]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its leases run out by themselves."""

    @contextmanager
    def away(self: Database) -> Iterator[None]:
        raise StoreUnavailable
        yield

    supervised(1)
    _wait_for(lambda: len(started()) == 1)
    monkeypatch.setattr(Database, "writing", away)
    os.kill(started()[0][0], signal.SIGKILL)
    _wait_for(lambda: len(started()) == 2)


def test_stopping_ends_the_workers(
    supervised: Callable[..., tuple[WorkerSupervisor, Context]], started: Callable[..., list[tuple[int, str, str]]]
) -> None:
    """They are asked first, and gone afterwards."""
    one, _ = supervised(2)
    _wait_for(lambda: len(started()) == 2)
    one.stop()
    assert [] == [pid for pid, _, _ in started() if Path(f"/proc/{pid}").exists()]


def test_a_worker_that_does_not_stop_is_ended(
    supervised: Callable[..., tuple[WorkerSupervisor, Context]],
    started: Callable[..., list[tuple[int, str, str]]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """After a while: its import is taken over."""
    monkeypatch.setattr(supervisor, "DRAIN_SECONDS", 0.1)
    _write(tmp_path / "worker", _SCRIPT.format(log=tmp_path / "started", trap="trap '' TERM"))
    one, _ = supervised(1)
    _wait_for(lambda: len(started()) == 1)
    one.stop()
    assert not Path(f"/proc/{started()[0][0]}").exists()


def test_settings_reach_other_processes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another process that reads them from its environment has the same."""
    given = Settings(
        database_url=f"sqlite:///{tmp_path}/g.sqlite",
        lease_seconds=2.5,
        artifacts_url="/somewhere",
        api_token="a-token-of-this-test",
        guard_reads=True,
    )
    for name, value in environment_of(given).items():
        monkeypatch.setenv(name, value)
    assert given == Settings()


def _write(path: Path, script: str) -> None:
    path.write_text(script)
    path.chmod(0o755)


def _wait_for(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.01)
