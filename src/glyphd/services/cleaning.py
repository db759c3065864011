"""Remove what failed, discarded and purged imports left, in steps so short that other writers hardly notice."""

from collections.abc import Iterator

from glyphd.domain.imports import Import, Status
from glyphd.services.context import Context
from glyphd.store import artifacts, events, imports, rows
from glyphd.store.unit_of_work import UnitOfWork

ROWS_PER_STEP = 10_000
PURGED = "purged"
"""The event of a purge; its details name the artifacts that the import no longer names."""


def clean_next(context: Context) -> bool:
    """Clean up after the oldest import that is not cleaned up after; tell whether there was one."""
    with context.database.reading() as connection:
        entry = imports.next_to_clean(connection)
    if entry is None:
        return False
    clean_import(context, entry)
    return True


def clean_import(context: Context, entry: Import) -> None:
    """Remove the rows of an import that counts none any more, and all that is left of a purged one.

    Rejections stay until the purge: they say why. Two cleaners of one import take turns, and both only delete. One that
    is purged meanwhile stays marked: there is more to remove.
    """
    purged = entry.status is Status.PURGED
    for _ in remove_rows(context, entry.import_id, with_rejections=purged):
        pass
    if purged:
        _remove_artifacts(context, entry.import_id)
    with context.database.writing() as work:
        if imports.hold_import(work, entry.import_id).status is entry.status:
            imports.update_import(work.connection, entry.import_id, {"rows_to_remove": False})
            work.commit()


def remove_rows(context: Context, import_id: str, *, with_rejections: bool) -> Iterator[UnitOfWork]:
    """Delete an import's rows; yields inside each transaction, so that the caller can renew its lease in it."""
    for table in rows.removals(with_rejections=with_rejections):
        removed = ROWS_PER_STEP
        while removed == ROWS_PER_STEP:
            with context.database.writing(durable=False) as work:
                work.lock(f"rows of {import_id}")  # else one finds gone what the other is deleting, and ends too early
                removed = rows.remove_some(work.connection, table, import_id, ROWS_PER_STEP)
                yield work
                work.commit()
            context.database.give_way()


def released_artifacts(context: Context, import_id: str) -> list[str]:
    """Return the digests of what a purged import was made from and no longer names."""
    with context.database.reading() as connection:
        told = events.details_of(connection, import_id, PURGED)
    return sorted({artifact["sha256"] for details in told for artifact in details["artifacts"]})


def _remove_artifacts(context: Context, import_id: str) -> None:
    """Remove the bytes that no import names any more: before the commit, so that no crash leaves them behind."""
    for sha256 in released_artifacts(context, import_id):
        with context.database.writing() as work:
            if artifacts.forget_artifact(work, sha256):
                context.artifacts.remove(sha256)
                work.commit()
