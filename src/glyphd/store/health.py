"""What `glyphd doctor` asks a database; the same statements on every engine."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, select, text

from glyphd.domain.imports import Status
from glyphd.store.tables import artifacts, import_batches
from glyphd.store.types import UtcTimestamp


@dataclass(frozen=True, slots=True)
class Backlog:
    """What is left for workers to do, and when one last did something. Moments are UTC, None when there is none."""

    waiting: int
    oldest_waiting: datetime | None
    to_remove: int
    oldest_to_remove: datetime | None
    last_started: datetime | None
    last_completed: datetime | None


def engine_version(connection: Connection) -> str:
    """Return which engine it is and in which version, such as `sqlite 3.45.1`."""
    return f"{connection.dialect.name} {'.'.join(map(str, connection.dialect.server_version_info or ()))}"


def database_time(connection: Connection) -> datetime:
    """Return the present moment by the database's clock: when its transaction began, on SQLite in whole seconds."""
    return connection.execute(select(func.current_timestamp(type_=UtcTimestamp))).scalar_one()


def list_artifacts(connection: Connection, *, limit: int, after: str) -> list[tuple[str, int]]:
    """Return the digests and sizes in bytes of artifacts that the ledger names, by digest, from the first past one."""
    query = select(artifacts.c.sha256, artifacts.c.bytes).where(artifacts.c.sha256 > after)
    return [(row.sha256, row.bytes) for row in connection.execute(query.order_by(artifacts.c.sha256).limit(limit))]


def measure_backlog(connection: Connection) -> Backlog:
    """Return what is left for workers to do; reads the ledger once.

    What was discarded does not count as completed: that takes no worker.
    """
    table = import_batches.c
    waiting, to_remove = table.status == Status.RECEIVED, text("rows_to_remove")
    query = select(
        func.count().filter(waiting),
        func.min(table.imported_at).filter(waiting),
        func.count().filter(to_remove),
        func.min(func.coalesce(table.completed_at, table.imported_at)).filter(to_remove),
        func.max(table.started_at),
        func.max(table.completed_at).filter(table.status != Status.DISCARDED),
    )
    return Backlog(*connection.execute(query.select_from(import_batches)).one())


def count_received_after(connection: Connection, moment: datetime) -> int:
    """Return how many imports say that they were received after a moment."""
    query = select(func.count()).where(import_batches.c.imported_at > moment)
    return connection.execute(query).scalar_one()
