"""Discard an import that nobody reads yet; discarding one that waits or runs cancels it."""

from sqlalchemy import Connection

from glyphd.domain.imports import DISCARDABLE, Import, Status
from glyphd.domain.report import ImportReport
from glyphd.services.context import Context
from glyphd.services.refusing import refused
from glyphd.services.reporting import build_report
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
        _require_discardable(connection, entry)
        values = {"status": Status.DISCARDED, "count": 0, "completed_at": now, "rows_to_remove": True}
        imports.update_import(connection, import_id, {**values, "lease_expires_at": None})
        events.add_event(connection, import_id, now, actor, "discarded", Status.DISCARDED, reason=reason)
        work.commit()
        return imports.find_import(connection, import_id)


def foresee_discard(context: Context, import_id: str) -> ImportReport:
    """Return the report of an import that can be discarded: its ``count`` rows would be removed, for good.

    Raises as :func:`discard_import`.
    """
    with context.database.reading() as connection:
        entry = imports.find_import(connection, import_id)
        _require_discardable(connection, entry)
        return build_report(connection, entry)


def _require_discardable(connection: Connection, entry: Import) -> None:
    if entry.status not in DISCARDABLE:
        detail = f"The import is {entry.status}; only one that is received, running or staged can be discarded."
        raise refused(connection, entry, detail)
