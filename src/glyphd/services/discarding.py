"""Discard an import that nobody reads yet; discarding one that waits or runs cancels it."""

from glyphd.domain.imports import DISCARDABLE, Import, Status
from glyphd.services.context import Context
from glyphd.services.refusing import refused
from glyphd.store import events, imports


def discard_import(context: Context, import_id: str, actor: str, reason: str | None = None) -> Import:
    """Take an import out before it is published. Asking twice changes nothing.

    Raises ImportNotFound, and IllegalTransition when it is published, rolled back, failed or purged.
    """
    now = context.clock()
    with context.database.writing() as work:
        connection = work.connection
        entry = imports.hold_import(work, import_id)
        if entry.status is Status.DISCARDED:
            return entry
        if entry.status not in DISCARDABLE:
            detail = f"The import is {entry.status}; only one that is received, running or staged can be discarded."
            raise refused(connection, entry, detail)
        values = {"status": Status.DISCARDED, "count": 0, "completed_at": now, "rows_to_remove": True}
        imports.update_import(connection, import_id, {**values, "lease_expires_at": None})
        events.add_event(connection, import_id, now, actor, "discarded", Status.DISCARDED, reason=reason)
        work.commit()
        return imports.find_import(connection, import_id)
