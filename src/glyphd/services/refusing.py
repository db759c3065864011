"""Refuse what the state of an import does not allow, and say what is possible in it instead."""

from sqlalchemy import Connection

from glyphd.domain.imports import Import, Status, state_of
from glyphd.errors import IllegalTransition
from glyphd.store import imports

_FIRST = {Status.STAGED: "publish that first", Status.ROLLED_BACK: "restore that first"}


def refused(connection: Connection, entry: Import, detail: str) -> IllegalTransition:
    """Return the refusal: with the state of the import, and what is possible in it."""
    possible = state_of(entry, parent_published=parent_is_published(connection, entry))
    told = {} if entry.parent_import_id is None else {"parent_import_id": entry.parent_import_id}
    return IllegalTransition(detail, **possible, **told)


def require_published_parent(connection: Connection, entry: Import) -> None:
    """Refuse to show what hangs on a batch that is not shown. Its source must be held. Raises IllegalTransition."""
    if not parent_is_published(connection, entry):
        status = imports.find_import(connection, str(entry.parent_import_id)).status
        advice = _FIRST.get(status, "it cannot be shown without it")
        detail = f"This {entry.kind} belongs to {entry.parent_import_id}, which is {status}: {advice}."
        raise refused(connection, entry, detail)


def parent_is_published(connection: Connection, entry: Import) -> bool:
    """Tell whether what an import hangs on is published; a batch hangs on nothing."""
    if entry.parent_import_id is None:
        return True
    return imports.find_import(connection, entry.parent_import_id).status is Status.PUBLISHED
