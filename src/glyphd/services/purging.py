"""Purge imports: their rows, rejections and bytes go for good; a tombstone stays that says who, when and how many.

The state changes first, in one transaction; what is left is removed in short steps, by this process or, if it dies,
by any worker (:mod:`glyphd.services.cleaning`).
"""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta

from sqlalchemy import Connection

from glyphd.domain.imports import PENDING, PURGEABLE, Import, ImportFilters, Status
from glyphd.domain.receipts import PurgeReceipt
from glyphd.errors import IllegalTransition
from glyphd.services.cleaning import PURGED, clean_import, released_artifacts
from glyphd.services.context import Context
from glyphd.services.refusing import refused
from glyphd.store import artifacts, events, imports
from glyphd.store.unit_of_work import UnitOfWork

_MOST_CHILDREN = 1 << 31
_FIRST = {Status.PUBLISHED: (Status.ROLLED_BACK, "rolled_back"), Status.STAGED: (Status.DISCARDED, "discarded")}
"""What hangs on a batch is taken out of these states before it is purged with it."""


@dataclass(frozen=True, slots=True)
class PurgeTerms:
    """Who purges and why, whether artifacts stay, and whether what hangs on a batch goes with it (``force``)."""

    actor: str
    reason: str | None = None
    keep_artifacts: bool = False
    force: bool = False


def find_purgeable(context: Context, statuses: Sequence[Status], older_than: timedelta) -> list[str]:
    """Return the imports that have been in one of these states for so long, newest first."""
    with context.database.reading() as connection:
        return imports.list_unchanged_since(connection, statuses, context.clock() - older_than)


def purge_imports(
    context: Context, import_ids: Sequence[str], terms: PurgeTerms, *, dry_run: bool = False
) -> Iterator[PurgeReceipt]:
    """Purge imports one by one, the newest first; one that cannot be is refused, and stops none of the others.

    ``dry_run``: only say what would be done. Raises ImportNotFound, before anything is done.
    """
    with context.database.reading() as connection:
        entries = [imports.find_import(connection, import_id) for import_id in dict.fromkeys(import_ids)]
    gone: set[str] = set()
    for entry in sorted(entries, key=lambda each: -each.id):
        try:
            if dry_run:
                receipt = _plan(context, entry.import_id, terms, gone)
            else:
                receipt = purge_import(context, entry.import_id, terms)
        except IllegalTransition as exc:
            receipt = PurgeReceipt(entry.import_id, refusal=exc.detail)
        gone |= set(receipt.purged_imports)
        yield receipt


def purge_import(context: Context, import_id: str, terms: PurgeTerms) -> PurgeReceipt:
    """Purge one import and return once all that was to go is gone. Asking twice changes nothing.

    Raises ImportNotFound, and IllegalTransition when its state does not allow it, or something hangs on it.
    """
    with context.database.writing() as work:
        imports.hold_source(work, imports.find_import(work.connection, import_id).source)
        family = _family(work.connection, imports.hold_import(work, import_id), force=terms.force)
        purged = [entry for entry in family if _mark(context, work, entry, terms)]
        work.commit()
    with context.database.reading() as connection:
        marked = [imports.find_import(connection, entry.import_id) for entry in family]
    for entry in marked:
        if entry.rows_to_remove:
            clean_import(context, entry)
    released = {sha256 for entry in purged for sha256 in released_artifacts(context, entry.import_id)}
    return _receipt(import_id, purged, sorted(sha256 for sha256 in released if not context.artifacts.has(sha256)))


def _plan(context: Context, import_id: str, terms: PurgeTerms, gone: set[str]) -> PurgeReceipt:
    with context.database.reading() as connection:
        entry = imports.find_import(connection, import_id)
        family = [] if import_id in gone else _family(connection, entry, force=terms.force, gone=gone)
    return _receipt(import_id, family, [])


def _family(connection: Connection, entry: Import, *, force: bool, gone: set[str] | None = None) -> list[Import]:
    """Return what goes with an import, and the import. Raises IllegalTransition when it must stay."""
    if entry.status is Status.PURGED:
        return [entry]
    if entry.status not in PURGEABLE:
        detail = f"The import is {entry.status}; only one that is rolled back, failed or discarded can be purged."
        raise refused(connection, entry, detail)
    children = imports.list_imports(connection, ImportFilters(parent_import_id=entry.import_id), limit=_MOST_CHILDREN)
    hanging = [each for each in children if each.status is not Status.PURGED and each.import_id not in (gone or ())]
    if hanging and not force:
        named = ", ".join(each.import_id for each in hanging)
        detail = f"What hangs on it is purged with it only when that is forced: {named}."
        raise refused(connection, entry, detail)
    for each in hanging:
        if each.status in PENDING:
            detail = f"{each.import_id} hangs on it and is {each.status}: wait for it, or discard it first."
            raise refused(connection, entry, detail)
    return [*hanging, entry]


def _mark(context: Context, work: UnitOfWork, entry: Import, terms: PurgeTerms) -> bool:
    """Make a tombstone of an import; tell whether that changes anything."""
    connection, import_id, now = work.connection, entry.import_id, context.clock()
    released = [] if terms.keep_artifacts else artifacts.artifacts_of(connection, import_id)
    if entry.status is Status.PURGED and not released:
        return False
    if entry.status in _FIRST:
        status, action = _FIRST[entry.status]
        events.add_event(connection, import_id, now, terms.actor, action, status, reason=terms.reason)
    if released:
        artifacts.release_artifacts(connection, import_id)
    imports.update_import(connection, import_id, {"status": Status.PURGED, "rows_to_remove": True})
    details = {"artifacts": [asdict(artifact) for artifact in released]}
    events.add_event(
        connection, import_id, now, terms.actor, PURGED, Status.PURGED, reason=terms.reason, details=details
    )
    return True


def _receipt(import_id: str, entries: Sequence[Import], removed: list[str]) -> PurgeReceipt:
    """Tell what became of imports as they were before; of one that was a tombstone only bytes can go."""
    purged = [entry for entry in entries if entry.status is not Status.PURGED]
    return PurgeReceipt(
        import_id=import_id,
        purged_imports=[entry.import_id for entry in purged],
        rows=sum(entry.count for entry in purged),
        rejections=sum(entry.rejected for entry in purged),
        removed_artifacts=removed,
    )
