"""Publish an import that a person has looked at: one row's update, whatever its size."""

from glyphd.domain.imports import Import, Status
from glyphd.services.context import Context
from glyphd.services.refusing import refused, require_published_parent
from glyphd.store import events, imports


def publish_import(context: Context, import_id: str, actor: str, reason: str | None = None) -> Import:
    """Make the rows of a staged import visible. Asking twice changes nothing.

    Raises ImportNotFound, and IllegalTransition when it is not staged, or its batch not published.
    """
    now = context.clock()
    with context.database.writing() as work:
        imports.hold_source(work, imports.find_import(work.connection, import_id).source)
        entry = imports.hold_import(work, import_id)
        if entry.status is Status.PUBLISHED:
            return entry
        if entry.status is not Status.STAGED:
            detail = f"The import is {entry.status}; only one that is staged can be published."
            raise refused(work.connection, entry, detail)
        require_published_parent(work.connection, entry)
        imports.update_import(work.connection, import_id, {"status": Status.PUBLISHED, "published_at": now})
        events.add_event(work.connection, import_id, now, actor, "published", Status.PUBLISHED, reason=reason)
        work.commit()
        return imports.find_import(work.connection, import_id)
