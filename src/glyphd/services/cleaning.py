"""Remove the rows of failed and discarded imports, in steps so short that other writers hardly notice."""

from collections.abc import Iterator

from glyphd.services.context import Context
from glyphd.store import imports, rows
from glyphd.store.unit_of_work import UnitOfWork

ROWS_PER_STEP = 10_000


def clean_next(context: Context) -> bool:
    """Remove the rows of the oldest import that counts none any more; tell whether there was one.

    Rejections stay: they say why. Two cleaners of one import take turns, and both only delete.
    """
    with context.database.reading() as connection:
        entry = imports.next_to_clean(connection)
    if entry is None:
        return False
    for _ in remove_rows(context, entry.import_id, with_rejections=False):
        pass
    with context.database.writing() as work:
        imports.update_import(work.connection, entry.import_id, {"rows_to_remove": False})
        work.commit()
    return True


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
