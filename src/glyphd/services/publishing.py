"""Publish an import that a person has looked at: one row's update, whatever its size."""

from glyphd.domain.imports import Import, Status, state_of
from glyphd.errors import IllegalTransition
from glyphd.services.context import Context
from glyphd.store import events, imports
from glyphd.store.unit_of_work import UnitOfWork


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
            raise IllegalTransition(detail, **state_of(entry))
        require_published_parent(work, entry)
        imports.update_import(work.connection, import_id, {"status": Status.PUBLISHED, "published_at": now})
        events.add_event(work.connection, import_id, now, actor, "published", Status.PUBLISHED, reason=reason)
        work.commit()
        return imports.find_import(work.connection, import_id)


def require_published_parent(work: UnitOfWork, entry: Import) -> None:
    """Refuse to show what hangs on a batch that is not shown. Its source must be held. Raises IllegalTransition."""
    if not parent_is_published(work, entry):
        detail = f"This {entry.kind} belongs to {entry.parent_import_id}, which is not published: publish that first."
        raise IllegalTransition(detail, **state_of(entry), parent_import_id=entry.parent_import_id)


def parent_is_published(work: UnitOfWork, entry: Import) -> bool:
    """Tell whether what an import hangs on is published; a batch hangs on nothing. Its source must be held."""
    if entry.parent_import_id is None:
        return True
    return imports.find_import(work.connection, entry.parent_import_id).status is Status.PUBLISHED
