"""The audit trail: who did what to an import, when and why. Rows are added, never changed."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from glyphd.domain.imports import Status
from glyphd.store.tables import import_events


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened to an import. ``status`` is the import's, after it."""

    id: int
    at: datetime
    actor: str
    action: str
    status: Status
    reason: str | None
    details: dict[str, Any]


def add_event(  # noqa: PLR0913 - one argument a column
    connection: Connection,
    import_id: str,
    at: datetime,
    actor: str,
    action: str,
    status: Status,
    *,
    reason: str | None = None,
    details: Mapping[str, Any] | None = None,
) -> None:
    """Write one event in the transaction of what it tells of."""
    connection.execute(
        import_events.insert().values(
            import_id=import_id,
            at=at,
            actor=actor,
            action=action,
            status=status,
            reason=reason,
            details=dict(details or {}),
        )
    )


def list_events(connection: Connection, import_id: str, *, limit: int, after_id: int = 0) -> list[Event]:
    """Return the events of an import, oldest first."""
    table = import_events.c
    query = (
        select(table.id, table.at, table.actor, table.action, table.status, table.reason, table.details)
        .where(table.import_id == import_id, table.id > after_id)
        .order_by(table.id)
        .limit(limit)
    )
    return [Event(**{**row, "status": Status(row["status"])}) for row in connection.execute(query).mappings()]


def details_of(connection: Connection, import_id: str, action: str) -> list[dict[str, Any]]:
    """Return what the events of one action tell of an import, oldest first."""
    table = import_events.c
    query = select(table.details).where(table.import_id == import_id, table.action == action).order_by(table.id)
    return list(connection.execute(query).scalars())
