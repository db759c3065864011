"""A diagnosis of the work that waits and of the clocks: workers that died, imports that wait, clocks that jump."""

import dataclasses
import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from glyphd.artifacts.folder import ArtifactWriter
from glyphd.domain.clock import utc_now
from glyphd.domain.findings import Check, Level
from glyphd.services.checks.leases import MANY_ATTEMPTS, PATIENCE_LEASES
from glyphd.services.context import Context
from glyphd.services.diagnosing import diagnose
from glyphd.services.discarding import discard_import
from glyphd.services.running import claim_next, run_import, run_next
from glyphd.store import imports

_OK, _WARNING, _PROBLEM = Level.OK, Level.WARNING, Level.PROBLEM
_LEASE = timedelta(seconds=30)
_PATIENCE = PATIENCE_LEASES * _LEASE

Found = list[tuple[Level, str]]


def at(context: Context, moment: datetime) -> Context:
    """Return the context with a clock that stands still."""
    return dataclasses.replace(context, clock=lambda: moment)


def shifted(context: Context, by: timedelta) -> Context:
    """Return the context with a clock that goes ahead of the real one, or behind it."""
    return dataclasses.replace(context, clock=lambda: utc_now() + by)


def of(check: Check, context: Context) -> Found:
    """Return what a diagnosis finds of one check."""
    return [(finding.level, finding.found) for finding in diagnose(context) if finding.check is check]


def working(*, wait: int = 0, run: int = 0, remove: int = 0) -> Found:
    """Return what is found of leases when nothing is wrong."""
    return [(_OK, f"Imports that wait: {wait}, that run: {run}, whose rows have to go: {remove}.")]


@pytest.fixture
def start() -> datetime:
    """The moment at which everything begins."""
    return datetime(2026, 11, 22, 5, 0, tzinfo=UTC)


@pytest.fixture
def receive_at(context: Context, receive: Callable[..., str]) -> Callable[..., str]:
    """Receive a batch of one row at a moment."""

    def run(moment: datetime) -> str:
        import_id = receive("canonical_model\nH100\n")
        with context.database.writing() as work:
            imports.update_import(work.connection, import_id, {"imported_at": moment})
            work.commit()
        return import_id

    return run


# -- leases -----------------------------------------------------------------------------------------------------------


def test_a_worker_at_work(context: Context, receive_at: Callable[..., str], start: datetime) -> None:
    """It holds its lease: what waits behind it may wait for long."""
    receive_at(start)
    receive_at(start)
    later = start + 10 * _PATIENCE
    claim_next(at(context, later), "worker")
    assert working(wait=1, run=1) == of(Check.LEASES, at(context, later + _LEASE))


def test_a_lease_that_nobody_takes_over(
    context: Context, receive_at: Callable[..., str], start: datetime, execute: Callable[..., list[Any]]
) -> None:
    """First another worker may yet come; once none has shown itself for long, there is none."""
    receive_at(start)
    run_next(at(context, start - timedelta(days=1)), "worker")
    execute("UPDATE import_batches SET rows_to_remove = :no", no=False)
    import_id = receive_at(start)
    claim_next(at(context, start), "worker")
    said = f"Nobody has taken over 1 import whose lease has lapsed: {import_id}."
    moments = [start + _LEASE, start + _LEASE + timedelta(seconds=1), start + _PATIENCE]
    assert [working(run=1), [(_WARNING, said)], [(_PROBLEM, said)]] == [
        of(Check.LEASES, at(context, moment)) for moment in moments
    ]


def test_a_lease_that_nobody_takes_over_beside_a_worker_at_work(
    context: Context, receive_at: Callable[..., str], start: datetime
) -> None:
    """It is the next one's turn when that worker is done."""
    left, other = receive_at(start), receive_at(start)
    later = start + 10 * _PATIENCE
    claim_next(at(context, start), "dead")
    claim_next(at(context, start), "alive")
    with context.database.writing() as work:
        imports.update_import(work.connection, other, {"lease_expires_at": later + _LEASE})
        work.commit()
    said = f"Nobody has taken over 1 import whose lease has lapsed: {left}."
    assert [(_WARNING, said)] == of(Check.LEASES, at(context, later))


def test_a_running_import_without_a_lease(
    context: Context, receive_at: Callable[..., str], start: datetime, execute: Callable[..., list[Any]]
) -> None:
    """Somebody wrote into the ledger: no worker ever takes it."""
    import_id = receive_at(start)
    execute("UPDATE import_batches SET status = 'running'")
    (found,) = of(Check.LEASES, at(context, start + _LEASE))
    assert (_PROBLEM, f"Nobody has taken over 1 import whose lease has lapsed: {import_id}.") == found


def test_nobody_begins(context: Context, receive_at: Callable[..., str], start: datetime) -> None:
    """Imports wait, and no worker shows itself; the oldest counts."""
    for minutes in (0, 3, 4):
        receive_at(start + timedelta(minutes=minutes))
    soon, late = start + _PATIENCE, start + timedelta(minutes=5)
    assert working(wait=3) == of(Check.LEASES, at(context, soon))
    said = "No worker runs anything, while the oldest of 3 imports has waited for 5 min."
    assert [(_PROBLEM, said)] == of(Check.LEASES, at(context, late))


def test_a_worker_between_two_imports(context: Context, receive_at: Callable[..., str], start: datetime) -> None:
    """It holds no lease, but has just begun or finished one; for how long that counts is a matter of patience."""
    receive_at(start)
    receive_at(start)
    later = start + 10 * _PATIENCE
    run_next(at(context, later), "worker")  # it fails: the file lacks columns
    assert working(wait=1, remove=1) == of(Check.LEASES, at(context, later + _PATIENCE / 2))
    levels = [level for level, _ in of(Check.LEASES, at(context, later + _PATIENCE + _LEASE))]
    assert [_PROBLEM, _WARNING] == levels


def test_a_worker_that_has_done_much(context: Context, receive_at: Callable[..., str], start: datetime) -> None:
    """What it began last counts, and what it finished last, however long ago it began that."""
    for _ in range(4):
        receive_at(start)
    for patience in (10, 20):
        run_next(at(context, start + patience * _PATIENCE), "worker")
    assert working(wait=2, remove=2) == of(Check.LEASES, at(context, start + 20 * _PATIENCE + _LEASE))
    held = claim_next(at(context, start + 30 * _PATIENCE), "worker")
    assert held is not None
    run_import(at(context, start + 40 * _PATIENCE), held)
    assert working(wait=1, remove=3) == of(Check.LEASES, at(context, start + 40 * _PATIENCE + _LEASE))


def test_a_person_who_discards_is_no_worker(context: Context, receive_at: Callable[..., str], start: datetime) -> None:
    """What was discarded lately says nothing of workers."""
    first, _ = receive_at(start), receive_at(start)
    later = start + 10 * _PATIENCE
    discard_import(at(context, later), first, "test")
    said = "No worker runs anything, while the oldest of 1 import has waited for 20 min."
    assert [(_PROBLEM, said)] == of(Check.LEASES, at(context, later))


def test_rows_that_nobody_removes(
    context: Context, receive_at: Callable[..., str], start: datetime, clean: Callable[[], None]
) -> None:
    """Of imports that failed or were discarded; a worker is what is missing."""
    discard_import(at(context, start), receive_at(start), "test")
    assert working(remove=1) == of(Check.LEASES, at(context, start + _PATIENCE))
    said = "The rows of 1 failed or discarded import have not been removed, after 3 min."
    assert [(_WARNING, said)] == of(Check.LEASES, at(context, start + timedelta(minutes=3)))
    clean()
    assert working() == of(Check.LEASES, at(context, start + timedelta(minutes=3)))


def test_an_import_that_workers_die_of(context: Context, receive_at: Callable[..., str], start: datetime) -> None:
    """From the third attempt on, while it is held."""
    import_id, found = receive_at(start), []
    for attempt in range(1, MANY_ATTEMPTS + 1):
        now = at(context, start + attempt * 2 * _LEASE)
        claim_next(now, "worker")
        found.append(of(Check.LEASES, now))
    said = f"Workers died over 1 import, out of 5 attempts each: {import_id} (attempt 3)."
    assert [working(run=1), working(run=1), [(_WARNING, said)]] == found


# -- clocks -----------------------------------------------------------------------------------------------------------

_SAME_DISK = (_OK, "The artifact folder's disk and this machine tell the same time.")
_SAME_DATABASE = (_OK, "The database and this machine tell the same time.")
_NOTHING_TO_COME = (_OK, "No moment in the ledger is still to come.")


@pytest.mark.parametrize(
    ("shift", "level"), [(4 * 3_600, _PROBLEM), (-4 * 3_600, _PROBLEM), (7, _WARNING), (-7, _WARNING)]
)
def test_a_clock_that_is_wrong(context: Context, shift: int, level: Level) -> None:
    """Apart by more than a third of a lease, workers take imports from each other."""
    disk, database, ledger = of(Check.CLOCK, shifted(context, timedelta(seconds=shift)))
    assert [(_WARNING, level), _NOTHING_TO_COME] == [(disk[0], database[0]), ledger]
    if level is _PROBLEM:
        assert "The clock of the artifact folder's disk and this machine's are 4 h apart." == disk[1]
        assert "The database's clock and this machine's are 4 h apart." == database[1]


def test_a_clock_that_is_right(context: Context) -> None:
    """Within the second that SQLite tells."""
    for shift in (-0.9, 0, 0.9):
        found = of(Check.CLOCK, shifted(context, timedelta(seconds=shift)))
        assert [_SAME_DISK, _SAME_DATABASE, _NOTHING_TO_COME] == found


def test_a_disk_with_another_clock(context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    """The folder is on a server whose clock is days ahead."""
    flush = ArtifactWriter.flush

    def flush_on_a_server(writer: ArtifactWriter) -> None:
        flush(writer)
        told = (utc_now() + timedelta(days=3)).timestamp()
        os.utime(writer.path, (told, told))

    monkeypatch.setattr(ArtifactWriter, "flush", flush_on_a_server)
    said = "The clock of the artifact folder's disk and this machine's are 3 days apart."
    assert [(_WARNING, said), _SAME_DATABASE, _NOTHING_TO_COME] == of(Check.CLOCK, context)


def test_imports_from_the_future(context: Context, receive_at: Callable[..., str], start: datetime) -> None:
    """The clock of who received them was ahead; two machines are never quite in step."""
    for ahead in (0, 1, 2, 60, 3_600):
        receive_at(start + timedelta(seconds=ahead))
    said = "The ledger has 2 imports from after the present moment, 2026-11-22 05:00:00Z."
    assert (_WARNING, said) == of(Check.CLOCK, at(context, start))[-1]
    assert _NOTHING_TO_COME == of(Check.CLOCK, at(context, start + timedelta(hours=1)))[-1]


def test_a_clock_that_was_set_back(context: Context, receive_at: Callable[..., str], start: datetime) -> None:
    """A lease of before ends later than any given now, so that any worker may have the import; nobody holds it."""
    before = start - timedelta(hours=2)
    receive_at(before)
    claim_next(at(context, start), "worker")
    said = "Of 1 running import, 1 hold a lease later than any given now."
    assert (_WARNING, said) == of(Check.CLOCK, at(context, start - timedelta(hours=1)))[-1]
    assert working() == of(Check.LEASES, at(context, start - timedelta(hours=1)))
    assert _NOTHING_TO_COME == of(Check.CLOCK, at(context, start))[-1]
