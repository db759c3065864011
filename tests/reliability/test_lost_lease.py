"""Fencing, takeover, cancelling and batches that kill."""

import os
import signal
import time
from collections import Counter
from collections.abc import Callable
from functools import partial

import pytest
from sqlalchemy import text

from glyphd.domain.imports import Status
from glyphd.errors import StoreUnavailable
from glyphd.services.cleaning import clean_next
from glyphd.services.context import Context
from glyphd.services.discarding import discard_import
from glyphd.services.reporting import report_import
from glyphd.services.running import MAX_ATTEMPTS, claim_next, run_next
from glyphd.store.turnstile import Turnstile
from tests.engines import only_postgresql
from tests.reliability.batches import Batch
from tests.reliability.dying import SURVIVED, later, run_all_but_poison
from tests.reliability.ledger import all_finished, check_installation, reports_of, submit
from tests.reliability.processes import Installation, fork, wait_until
from tests.reliability.reading import Reader


def test_a_worker_paused_past_its_lease_can_write_nothing_more(make_installation: Callable[..., Installation]) -> None:
    """Another worker takes its import over and removes what it left; when it goes on, its writes are refused."""
    installation = make_installation(lease_seconds=30)
    context = installation.context
    batch = Batch("paused", 120_000)
    import_id = submit(context, batch)
    paused = installation.start_worker()
    wait_until(lambda: _rows(context, import_id) > 0, every=0.001)
    _pause_between_transactions(installation, paused.pid or 0)
    left = _rows(context, import_id)
    assert 0 < left < len(batch.rows), "the worker was not paused in the middle"
    run_next(later(context), "successor")
    assert Status.PUBLISHED is report_import(context, import_id).status
    os.kill(paused.pid or 0, signal.SIGCONT)
    wait_until(lambda: "import.lease_lost" in installation.events())
    check_installation(context, [batch])
    assert "successor" == _worker(context, import_id)


# Not: any that holds a lock. A COMMIT that is still being written holds them too, and a COPY is cut off later.
_IDLE_IN_A_TRANSACTION = """
    SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid() AND state = 'idle in transaction'
"""


@only_postgresql  # a process that is stopped inside a transaction of SQLite's holds up every writer until it goes on
@pytest.mark.parametrize("lost", [True, False], ids=["for good", "goes on"])
def test_a_worker_paused_inside_a_transaction_is_cut_off(
    make_installation: Callable[..., Installation], lost: bool
) -> None:
    """The server ends its connection when it has been silent for a lease, and the import is taken over."""
    installation = make_installation(lease_seconds=5)
    context = installation.context
    batch = Batch("inside", 200_000)
    submit(context, batch)
    paused = installation.start_worker()
    wait_until(lambda: _rows_of_all(context) > 0, every=0.001)
    _pause_inside_a_transaction(installation, paused.pid or 0)
    began = time.monotonic()
    wait_until(lambda: run_next(context, "successor"), 60, every=0.2)
    assert 20 > time.monotonic() - began
    if not lost:
        os.kill(paused.pid or 0, signal.SIGCONT)
        wait_until(lambda: "import.interrupted" in installation.events())
    check_installation(context, [batch])


def _pause_inside_a_transaction(installation: Installation, pid: int) -> None:
    while True:
        os.kill(pid, signal.SIGSTOP)
        time.sleep(0.02)  # what it has sent has come to the server by then
        with installation.context.database.reading() as connection:
            if connection.execute(text(_IDLE_IN_A_TRANSACTION)).scalar_one():
                return
        os.kill(pid, signal.SIGCONT)
        time.sleep(0.001)


def _rows_of_all(context: Context) -> int:
    with context.database.reading() as connection:
        return int(connection.execute(text("SELECT count(*) FROM scored_listings")).scalar_one())


def test_discarding_stops_a_running_import_and_its_rows_go(make_installation: Callable[..., Installation]) -> None:
    """The worker gives the import up at its next step, removes the rows, and runs the next import."""
    installation = make_installation(lease_seconds=30)
    context = installation.context
    batches = {batch.tag: batch for batch in (Batch("unwanted", 150_000), Batch("wanted", 10))}
    unwanted, wanted = (submit(context, batch) for batch in batches.values())
    with Reader(context, batches, seed=2):
        installation.start_worker()
        wait_until(lambda: _rows(context, unwanted) > 0, every=0.001)
        discard_import(context, unwanted, "operator", "wrong crawl")
        left = _rows(context, unwanted)
        wait_until(lambda: all_finished(context))
    assert 0 < left < len(batches["unwanted"].rows)
    assert 0 == _rows(context, unwanted)
    assert Status.DISCARDED is report_import(context, unwanted).status
    assert Status.PUBLISHED is report_import(context, wanted).status
    check_installation(context, batches.values())


def test_a_batch_that_kills_each_worker_fails_and_the_others_go_on(
    make_installation: Callable[..., Installation],
) -> None:
    """After five dead workers the import is failed with `worker_died`; what waits behind it is imported."""
    installation = make_installation(lease_seconds=0.05)
    context = installation.context
    batches = [Batch("before", 10), Batch("poison", 10), Batch("behind", 10)]
    for batch in batches:
        submit(context, batch)
    codes: Counter[int | None] = Counter()
    while not codes[SURVIVED] or not all_finished(context):
        assert codes[-signal.SIGKILL] <= MAX_ATTEMPTS
        worker = fork(partial(run_all_but_poison, installation.settings))
        worker.join()
        codes[worker.exitcode] += 1
        worker.close()
        while clean_next(context):
            pass
    reports = reports_of(context)
    assert 5 == MAX_ATTEMPTS == codes[-signal.SIGKILL]
    assert (Status.FAILED, "worker_died") == (reports["poison"].status, (reports["poison"].failure or {})["code"])
    assert [Status.PUBLISHED] * 2 == [reports[tag].status for tag in ("before", "behind")]
    check_installation(context, batches)


def test_a_clock_that_steps_back_an_hour_delays_nothing(make_installation: Callable[..., Installation]) -> None:
    """The import of a dead worker whose lease ends in an hour, by a clock that was set back, is taken over at once."""
    installation = make_installation(lease_seconds=30)
    context = installation.context
    batch = Batch("clock", 1_000)
    import_id = submit(later(context), batch)
    held = claim_next(later(context), "dead")
    assert held is not None
    run_next(context, "successor")
    report = report_import(context, import_id)
    assert (Status.PUBLISHED, 0) == (report.status, report.duration_ms)
    check_installation(context, [batch])


def _pause_between_transactions(installation: Installation, pid: int) -> None:
    """Stop a worker outside of its transactions: stopped inside one, it would hold up others until it is cut off."""
    while True:
        os.kill(pid, signal.SIGSTOP)
        if _nobody_writes(installation):
            return
        os.kill(pid, signal.SIGCONT)
        time.sleep(0.001)


def _nobody_writes(installation: Installation) -> bool:
    """Tell whether the turnstile is free, or where there is none, whether every import can be locked."""
    database = installation.context.database
    if database.url.get_backend_name() == "sqlite":
        try:
            with Turnstile(installation.folder / "glyphd.sqlite-turnstile", 0.02).turn():
                return True
        except StoreUnavailable:
            return False
    with database.writing() as work:
        free = work.connection.execute(text("SELECT 1 FROM import_batches FOR UPDATE SKIP LOCKED")).all()
        return len(free) == work.connection.execute(text("SELECT count(*) FROM import_batches")).scalar_one()


def _rows(context: Context, import_id: str) -> int:
    with context.database.reading() as connection:
        query = text("SELECT count(*) FROM scored_listings WHERE import_id = :import_id")
        return int(connection.execute(query, {"import_id": import_id}).scalar_one())


def _worker(context: Context, import_id: str) -> str:
    with context.database.reading() as connection:
        query = text("SELECT worker FROM import_batches WHERE import_id = :import_id")
        return str(connection.execute(query, {"import_id": import_id}).scalar_one())
