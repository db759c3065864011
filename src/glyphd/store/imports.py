"""The ledger: one row an import, which is also its job (lease, fencing token, attempts)."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Select, and_, func, or_, select, text, true, update

from glyphd.domain.imports import (
    Artifact,
    Import,
    ImportFilters,
    ImportPlace,
    Kind,
    OnError,
    PublishMode,
    Status,
)
from glyphd.errors import GlyphdError, ImportNotFound, InvalidParameter, LeaseLost
from glyphd.store.functions import has_member
from glyphd.store.import_order import in_order
from glyphd.store.tables import import_artifacts, import_batches, import_events
from glyphd.store.types import NO_MOMENT
from glyphd.store.unit_of_work import UnitOfWork

_COLUMNS = [import_batches.c[field.name] for field in fields(Import)]


def of_source(source: str) -> ColumnElement[bool]:
    """Return the condition that an import is of a source; databases in the field hold some of none: the default's."""
    named = import_batches.c.source == source
    return or_(named, import_batches.c.source.is_(None)) if source == "default" else named


def insert_import(connection: Connection, values: Mapping[str, Any]) -> None:
    """Write a new import; column names as in :class:`Import`."""
    connection.execute(import_batches.insert().values(**values))


def find_import(connection: Connection, import_id: str) -> Import:
    """Return one import. Raises ImportNotFound, and InvalidParameter for what cannot be an id."""
    return _one(connection, import_id, select(*_COLUMNS))


def hold_import(work: UnitOfWork, import_id: str) -> Import:
    """Return one import, whose state nobody else changes until the transaction ends. Raises as :func:`find_import`."""
    return _one(work.connection, import_id, select(*_COLUMNS).with_for_update())


def _one(connection: Connection, import_id: str, query: Select[Any]) -> Import:
    if "\x00" in import_id:  # PostgreSQL has no such text
        raise _not_found(import_id)
    row = connection.execute(query.where(import_batches.c.import_id == import_id)).mappings().first()
    if row is None:
        raise _not_found(import_id)
    return _import(row)


def _not_found(import_id: str) -> GlyphdError:
    """Tell an id that could be one from one that cannot; databases in the field hold ids that are no UUIDs."""
    try:
        UUID(import_id)
    except ValueError:
        return InvalidParameter(f"{import_id!r} is not the id of an import.", parameter="import_id")
    return ImportNotFound(f"There is no import {import_id!r}.", import_id=import_id)


def list_imports(
    connection: Connection,
    filters: ImportFilters,
    *conditions: ColumnElement[bool],
    limit: int,
    after: ImportPlace | None = None,
) -> list[Import]:
    """Return imports in the order that is asked for, from behind a place on."""
    query = select(*_COLUMNS).where(*_conditions(filters), *conditions).limit(limit)
    query = in_order(query, filters.sort, after)
    return [_import(row) for row in connection.execute(query).mappings()]


def _conditions(filters: ImportFilters) -> Iterator[ColumnElement[bool]]:
    table = import_batches.c
    if filters.source is not None:
        yield of_source(filters.source)
    if filters.parent_import_id is not None:
        yield table.parent_import_id == filters.parent_import_id
    if filters.campaign_id is not None:
        yield table.campaign_id == filters.campaign_id
    if filters.statuses:
        yield table.status.in_(filters.statuses)
    if filters.since is not None:
        yield table.imported_at >= filters.since
    if filters.until is not None:
        yield table.imported_at < filters.until
    for name, value in filters.metadata.items():
        yield has_member(table.metadata, name, json.dumps(value))


def update_import(connection: Connection, import_id: str, values: Mapping[str, Any]) -> None:
    """Write columns of one import; the caller has checked the transition inside this transaction."""
    connection.execute(update(import_batches).where(import_batches.c.import_id == import_id).values(**values))


def update_running(connection: Connection, held: Import, values: Mapping[str, Any]) -> None:
    """Write columns of the import a worker holds. Raises LeaseLost when the import is no longer this worker's.

    The fencing token is compared in the same transaction as everything else the worker writes, so that a worker that
    was paused past its lease can change nothing once another one has taken over.
    """
    table = import_batches.c
    changed = connection.execute(
        update(import_batches)
        .where(
            table.import_id == held.import_id,
            table.fencing_token == held.fencing_token,
            table.status == Status.RUNNING,
        )
        .values(**values)
    )
    if changed.rowcount != 1:
        raise LeaseLost(f"The import {held.import_id} is no longer this worker's.", import_id=held.import_id)


def find_waiting(connection: Connection, now: datetime, lease: timedelta) -> Import | None:
    """Return the oldest import that waits for a worker: received, or running under a lease that has run out.

    A lease that ends later than any granted now could is of a clock that stepped back; it counts as run out.
    """
    return _first(connection, _waiting(now, lease))


def hold_waiting(work: UnitOfWork, now: datetime, lease: timedelta) -> Import | None:
    """Return what :func:`find_waiting` does and nobody else is about to take, held until the transaction ends.

    Each engine does it in its way: where writers are alone (SQLite) there is nothing to skip.
    """
    return _first(work.connection, _waiting(now, lease).with_for_update(skip_locked=True))


def _waiting(now: datetime, lease: timedelta) -> Select[Any]:
    table = import_batches.c
    lapsed = or_(table.lease_expires_at < now, table.lease_expires_at > now + 2 * lease)
    waiting = or_(table.status == Status.RECEIVED, and_(table.status == Status.RUNNING, lapsed))
    query = select(*_COLUMNS).where(table.status.in_([Status.RECEIVED, Status.RUNNING]), waiting)
    return query.order_by(table.id).limit(1)


def list_unchanged_since(connection: Connection, statuses: Sequence[Status], moment: datetime) -> list[str]:
    """Return the imports that came into one of these states at or before a moment, newest first."""
    table, happened = import_batches.c, import_events.c
    ours = and_(happened.import_id == table.import_id, happened.status == table.status)
    since = select(func.max(happened.at)).where(ours).scalar_subquery()
    unchanged = func.coalesce(since, table.completed_at, table.imported_at) <= moment
    query = select(table.import_id).where(table.status.in_(statuses), unchanged).order_by(table.id.desc())
    return list(connection.execute(query).scalars())


def next_to_clean(connection: Connection) -> Import | None:
    """Return the oldest failed, discarded or purged import of which something is still there."""
    marked = text("rows_to_remove")  # as the partial index says it; `rows_to_remove = 1` would read the whole ledger
    query = select(*_COLUMNS).where(marked).order_by(import_batches.c.id).limit(1)
    return _first(connection, query)


def _first(connection: Connection, query: Select[Any]) -> Import | None:
    row = connection.execute(query).mappings().first()
    return None if row is None else _import(row)


def release_leases(connection: Connection, worker: str, *, on_purpose: bool = False) -> int:
    """End the leases of a worker that is known to be gone; return how many imports that frees.

    ``on_purpose``: the worker was told to stop, so that its attempt does not count against the import.
    """
    table = import_batches.c
    return connection.execute(
        update(import_batches)
        .where(table.worker == worker, table.status == Status.RUNNING)
        .values(lease_expires_at=datetime.fromtimestamp(0, UTC), attempts=table.attempts - int(on_purpose))
    ).rowcount


def count_waiting(connection: Connection, *, before: int | None = None) -> int:
    """Return how many imports no worker has begun; ``before``: of those that were received before this one."""
    query = select(func.count()).where(import_batches.c.status == Status.RECEIVED)
    if before is not None:
        query = query.where(import_batches.c.id < before)
    return connection.execute(query).scalar_one()


def next_source_version(work: UnitOfWork, source: str) -> int:
    """Return the next place in a source's version chain, from 1; nobody else gets it meanwhile."""
    hold_source(work, source)
    query = select(func.max(import_batches.c.source_version)).where(of_source(source))
    return (work.connection.execute(query).scalar() or 0) + 1


def hold_source(work: UnitOfWork, source: str) -> None:
    """Let nobody else add to a source's chain, or publish to it, until the transaction ends."""
    work.lock(f"source {source}")


def previous_of(connection: Connection, entry: Import) -> str | None:
    """Return the latest published batch of the same source, the import itself left out."""
    table = import_batches.c
    query = (
        select(table.import_id)
        .where(
            of_source(entry.source),
            table.kind == Kind.BATCH,
            table.status == Status.PUBLISHED,
            table.import_id != entry.import_id,
        )
        .order_by(table.observed_at.desc().nulls_last(), table.source_version.desc().nulls_last())
        .limit(1)
    )
    return connection.execute(query).scalar()


def latest_by_source(connection: Connection) -> list[tuple[Import, int]]:
    """Return, by source, its newest import and how many it has."""
    table = import_batches.c
    source = func.coalesce(table.source, "default")
    newest = select(func.max(table.id).label("id"), func.count().label("imports")).group_by(source).subquery()
    query = select(*_COLUMNS, newest.c.imports).join(newest, newest.c.id == table.id).order_by(source)
    rows = [dict(row) for row in connection.execute(query).mappings()]
    return [(_import(row), count) for row in rows if (count := row.pop("imports"))]


def earlier_duplicate(
    connection: Connection, source: str, stored: Sequence[Artifact], *, below_id: int | None = None
) -> str | None:
    """Return the first staged or published batch of a source with the same artifacts, before the given import."""
    if not stored:
        return None
    table, kept = import_batches.c, import_artifacts.c
    same = or_(*(and_(kept.role == artifact.role, kept.sha256 == artifact.sha256) for artifact in stored))
    sharing = select(kept.import_id).where(same).group_by(kept.import_id).having(func.count() == len(stored))
    own = select(func.count()).where(kept.import_id == table.import_id).scalar_subquery()
    query = (
        select(table.import_id)
        .where(
            table.import_id.in_(sharing),
            own == len(stored),
            of_source(source),
            table.kind == Kind.BATCH,
            table.status.in_([Status.STAGED, Status.PUBLISHED]),
            true() if below_id is None else table.id < below_id,
        )
        .order_by(table.id)
        .limit(1)
    )
    return connection.execute(query).scalar()


def _import(row: Mapping[Any, Any]) -> Import:
    values = dict(row)
    values["source"] = values["source"] if values["source"] is not None else "default"
    values["imported_at"] = values["imported_at"] or NO_MOMENT  # databases in the field hold `''` there
    values["kind"] = Kind(values["kind"])
    values["status"] = Status(values["status"])
    values["on_error"] = OnError(values["on_error"])
    values["publish_mode"] = PublishMode(values["publish_mode"])
    return Import(**values)
