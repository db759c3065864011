"""Check the clocks: this machine's against those of the artifact folder's disk, the database and the ledger.

Leases are given and judged by the clock of the machine that looks. A worker renews its own three times a lease, so that
it has two thirds of one left: a machine ahead of it by more takes living workers' imports over.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from glyphd.domain.findings import Check, Finding, Level, spoken_count, spoken_span
from glyphd.domain.imports import ImportFilters, Status
from glyphd.services.checks.leases import is_overlong
from glyphd.services.context import Context
from glyphd.services.heartbeat import BEATS_PER_LEASE
from glyphd.store import health, imports

TOLERANCE = timedelta(seconds=2)
"""SQLite tells the time in whole seconds."""

_MOST_RUNNING = 1_000
_NETWORK_TIME = "Let all machines take the time from the network (NTP)"


def compare_disk_clock(context: Context) -> Iterator[Finding]:
    """Compare with the time that a fresh file in the artifact folder gets; the folder may be another machine's."""
    with context.artifacts.writing() as writer:
        before = context.clock()
        writer.write(b"doctor")
        writer.flush()
        told = datetime.fromtimestamp(writer.path.stat().st_mtime, UTC)
        apart = _apart(before, told, context.clock())
    if apart > TOLERANCE:
        said = f"The clock of the artifact folder's disk and this machine's are {spoken_span(apart)} apart."
        advice = f"{_NETWORK_TIME}: leftovers in that folder are removed by their age."
        yield Finding(Check.CLOCK, Level.WARNING, said, advice)
    else:
        yield Finding(Check.CLOCK, Level.OK, "The artifact folder's disk and this machine tell the same time.")


def compare_database_clock(context: Context) -> Iterator[Finding]:
    """Compare with the time that the database tells; its clock stands for those of other machines."""
    before = context.clock()
    with context.database.reading() as connection:
        told = health.database_time(connection)
    apart = _apart(before, told, context.clock())
    if apart > TOLERANCE:
        level = Level.PROBLEM if apart > context.lease / BEATS_PER_LEASE else Level.WARNING
        said = f"The database's clock and this machine's are {spoken_span(apart)} apart."
        advice = f"{_NETWORK_TIME}: a worker whose clock is ahead takes over what others still run."
        yield Finding(Check.CLOCK, level, said, advice)
    else:
        yield Finding(Check.CLOCK, Level.OK, "The database and this machine tell the same time.")


def check_ledger_times(context: Context) -> Iterator[Finding]:
    """Look for moments in the ledger that cannot have been yet: a clock was ahead, or this one was set back."""
    now = context.clock()
    with context.database.reading() as connection:
        received = health.count_received_after(connection, now + TOLERANCE)
        running = imports.list_imports(connection, ImportFilters(statuses=[Status.RUNNING]), limit=_MOST_RUNNING)
    overlong = sum(is_overlong(entry, now, context.lease) for entry in running)
    if received:
        said = f"The ledger has {spoken_count(received, 'import')} from after the present moment, {now:%F %TZ}."
        advice = f"{_NETWORK_TIME}; until that moment has come, such an import stays its source's current one."
        yield Finding(Check.CLOCK, Level.WARNING, said, advice)
    if overlong:
        said = f"Of {spoken_count(len(running), 'running import')}, {overlong} hold a lease later than any given now."
        advice = f"{_NETWORK_TIME}; nothing is lost, since workers take such imports over."
        yield Finding(Check.CLOCK, Level.WARNING, said, advice)
    if received + overlong == 0:
        yield Finding(Check.CLOCK, Level.OK, "No moment in the ledger is still to come.")


def _apart(before: datetime, told: datetime, after: datetime) -> timedelta:
    """Return how far a time told between two moments lies outside of them."""
    return max(before - told, told - after, timedelta())
