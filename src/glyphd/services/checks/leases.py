"""Check the work: imports whose worker is gone, that nobody begins with, or that workers die of."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from glyphd.domain.findings import Check, Finding, Level, Names, spoken_count, spoken_span
from glyphd.domain.imports import Import, ImportFilters, Status
from glyphd.services.context import Context
from glyphd.services.running import MAX_ATTEMPTS
from glyphd.store import health, imports
from glyphd.store.health import Backlog

PATIENCE_LEASES = 4
"""So many leases work may wait without a sign of any worker: two minutes by default."""

MANY_ATTEMPTS = 3
"""An import at this attempt has outlived two workers."""

_MOST_RUNNING = 1_000
_START = "Start a worker, with `glyphd serve` or as `glyphd worker`; if one runs, its log says what keeps it."


def check_leases(context: Context) -> Iterator[Finding]:
    """Look at what runs, what waits and what has to go."""
    now, patience = context.clock(), PATIENCE_LEASES * context.lease
    with context.database.reading() as connection:
        running = imports.list_imports(connection, ImportFilters(statuses=[Status.RUNNING]), limit=_MOST_RUNNING)
        backlog = health.measure_backlog(connection)
    left = [entry for entry in running if entry.lease_expires_at is None or entry.lease_expires_at < now]
    held = sum(1 for entry in running if entry not in left and not is_overlong(entry, now, context.lease))
    at_work = held > 0 or _worked_lately(backlog, now, patience)
    found = [*_left(left, at_work=at_work), *_tired(running)]
    if not at_work:
        found += _waiting(backlog, now, patience)
    said = f"Imports that wait: {backlog.waiting}, that run: {held}, whose rows have to go: {backlog.to_remove}."
    yield from found or [Finding(Check.LEASES, Level.OK, said)]


def is_overlong(entry: Import, now: datetime, lease: timedelta) -> bool:
    """Tell whether a lease ends later than any that is given now: a worker takes such an import over."""
    return entry.lease_expires_at is not None and entry.lease_expires_at > now + 2 * lease


def _worked_lately(backlog: Backlog, now: datetime, patience: timedelta) -> bool:
    """Tell whether a worker began or ended an import lately: between two of them it holds no lease."""
    return any(moment and abs(now - moment) < patience for moment in (backlog.last_started, backlog.last_completed))


def _left(left: list[Import], *, at_work: bool) -> Iterator[Finding]:
    if left:
        names = Names(entry.import_id for entry in left)
        said = f"Nobody has taken over {spoken_count(len(left), 'import')} whose lease has lapsed: {names}."
        yield Finding(Check.LEASES, Level.WARNING if at_work else Level.PROBLEM, said, _START)


def _tired(running: list[Import]) -> Iterator[Finding]:
    names = Names(f"{e.import_id} (attempt {e.attempts})" for e in running if e.attempts >= MANY_ATTEMPTS)
    if names.count:
        said = f"Workers died over {spoken_count(names.count, 'import')}, out of {MAX_ATTEMPTS} attempts each: {names}."
        advice = "Look for the reason in the workers' log; `glyphd imports discard` takes an import out."
        yield Finding(Check.LEASES, Level.WARNING, said, advice)


def _waiting(backlog: Backlog, now: datetime, patience: timedelta) -> Iterator[Finding]:
    if backlog.oldest_waiting and (waited := now - backlog.oldest_waiting) > patience:
        count = spoken_count(backlog.waiting, "import")
        said = f"No worker runs anything, while the oldest of {count} has waited for {spoken_span(waited)}."
        yield Finding(Check.LEASES, Level.PROBLEM, said, _START)
    if backlog.oldest_to_remove and (waited := now - backlog.oldest_to_remove) > patience:
        count = spoken_count(backlog.to_remove, "failed or discarded import")
        said = f"The rows of {count} have not been removed, after {spoken_span(waited)}."
        yield Finding(Check.LEASES, Level.WARNING, said, _START)
