"""PostgreSQL: how a connection is set up, how transactions begin, what is locked, how many rows go in at once.

Nothing is kept in a session between transactions (every SET is LOCAL, no prepared statements, advisory locks end with
their transaction), so that it works through pgbouncer in transaction mode too.
"""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, ClassVar

import polars as pl
import sqlalchemy
from psycopg.pq import TransactionStatus
from sqlalchemy import Connection, Table, func, select
from sqlalchemy.engine import URL

from glyphd.domain.findings import RESTORE, Check, Finding, Level
from glyphd.errors import StoreUnavailable
from glyphd.store.bulk_postgresql import append_rows
from glyphd.store.engine import StepRows

_READING = (
    "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL TimeZone = 'UTC';"
    # Reads walk an index until the page is full. Before the first ANALYZE after an import the planner would rather
    # collect all rows of the import and sort them: a search in 3 imports of 1M rows took 1.0 s instead of 6 ms.
    " SET LOCAL enable_bitmapscan = off"
)
OLDEST = 15
_STATEMENT_SECONDS = 30.0  # what a step of an import takes is a fraction of a second
_SHORTEST_SILENCE = 5.0


@contextmanager
def bitmaps_allowed(connection: Connection) -> Iterator[None]:
    """Let a statement of a snapshot use a BRIN index, which gives nothing but bitmaps; on SQLite nothing to do."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("SET LOCAL enable_bitmapscan = on")
    yield
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("SET LOCAL enable_bitmapscan = off")


class PostgresEngine:
    """One PostgreSQL database. Transactions are begun by hand, as on SQLite, on connections in autocommit mode."""

    step_rows: ClassVar = StepRows(listings=65_536, derived=100_000)  # nobody else waits for a step

    def __init__(self, url: URL, pool_size: int, silence_seconds: float) -> None:
        """Prepare connections; nothing is opened yet.

        A writer that says nothing for ``silence_seconds`` inside a transaction is cut off by the server: a worker that
        was stopped there would else keep its import from being taken over.
        """
        idle, statement = max(silence_seconds, _SHORTEST_SILENCE), max(silence_seconds, _STATEMENT_SECONDS)
        self._writing = (
            "BEGIN; SET LOCAL TimeZone = 'UTC';"
            f" SET LOCAL idle_in_transaction_session_timeout = {round(idle * 1000)};"
            f" SET LOCAL statement_timeout = {round(statement * 1000)};"
            " SET LOCAL synchronous_commit = "
        )
        self._pool = sqlalchemy.create_engine(
            url.set(drivername="postgresql+psycopg").update_query_dict({"connect_timeout": "10"} | dict(url.query)),
            isolation_level="AUTOCOMMIT",
            pool_size=pool_size,
            max_overflow=0,
            pool_timeout=30,
            pool_pre_ping=True,  # 0.1 ms; without it every connection fails once after the server was restarted
            connect_args={"prepare_threshold": None, "application_name": "glyphd"},
        )

    @property
    def pool(self) -> sqlalchemy.Engine:
        """Where connections are taken from."""
        return self._pool

    @property
    def location(self) -> None:
        """Nowhere on this machine, for all it knows: the server has the files."""

    def begin_reading(self, connection: Connection) -> None:
        """Begin a snapshot."""
        connection.exec_driver_sql(_READING)

    def verbatim(self, connection: Connection) -> AbstractContextManager[None]:
        """Nothing to do: all text is UTF-8."""
        return nullcontext()

    def reading_processes(self) -> AbstractContextManager[None]:
        """Have none: the server is another process already."""
        return nullcontext()

    @contextmanager
    def turn(self, connection: Connection, *, durable: bool) -> Iterator[None]:
        """Begin; writers of different imports do not wait for each other."""
        connection.exec_driver_sql(f"{self._writing}{'on' if durable else 'off'}")
        yield

    def commit(self, connection: Connection) -> None:
        """Commit. PostgreSQL answers a COMMIT after an error by rolling back, without saying so."""
        if _driver(connection).info.transaction_status is not TransactionStatus.INTRANS:
            raise StoreUnavailable("The transaction had failed before it was committed.")
        connection.exec_driver_sql("COMMIT")

    def in_transaction(self, connection: Connection) -> bool:
        """Tell whether there is something to roll back: not on a connection that is lost."""
        if connection.invalidated or _driver(connection).closed:
            return False
        status: TransactionStatus = _driver(connection).info.transaction_status
        return status is not TransactionStatus.IDLE

    def lock(self, connection: Connection, name: str) -> None:
        """Hold a name until the transaction ends; whoever else wants it waits."""
        connection.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(name, 0))))

    def append(
        self,
        connection: Connection,
        table: Table,
        rows: pl.DataFrame,
        constants: Mapping[str, Any],
        *,
        keep_existing: bool,
    ) -> None:
        """Insert many rows by binary COPY."""
        append_rows(connection, table, rows, constants, keep_existing=keep_existing)

    def renumber(self, connection: Connection, table: Table, highest: int) -> None:
        """Take the sequence of the identity column past a number; it is never taken back."""
        connection.exec_driver_sql(
            "SELECT setval(name, %(highest)s) FROM pg_get_serial_sequence(%(table)s, 'id') AS name"
            " WHERE %(highest)s > coalesce(pg_sequence_last_value(name::regclass), 0)",
            {"table": table.name, "highest": highest},
        )

    def give_way(self) -> None:
        """Nothing to do: nobody waits for another one's step."""

    def faults(self, connection: Connection) -> list[Finding]:
        """Ask the server for settings under which it could not keep what it has promised, and for damage it has met."""
        return [
            Finding(Check.INTEGRITY, level, found, advice)
            for level, found, advice, query in _FAULTS
            if connection.exec_driver_sql(query).first()
        ]


_LOSES = "{0} is off: what was acknowledged may not survive when the server's machine loses power."
_FAULTS = (
    *(
        (
            Level.WARNING,
            _LOSES.format(name),
            f"Set `{name} = on` in postgresql.conf and restart the server.",
            f"SELECT 1 FROM pg_settings WHERE name = '{name}' AND setting = 'off'",
        )
        for name in ("fsync", "full_page_writes")
    ),
    (
        Level.PROBLEM,
        "The encoding of the database is not UTF8: it cannot hold every name.",
        "Create a database with `ENCODING 'UTF8'` and move to it with `glyphd copy`.",
        "SELECT 1 FROM pg_settings WHERE name = 'server_encoding' AND setting <> 'UTF8'",
    ),
    (
        Level.WARNING,
        f"The server is older than PostgreSQL {OLDEST}, which glyphd is tested with.",
        f"Upgrade it to PostgreSQL {OLDEST} or newer.",
        f"SELECT 1 FROM pg_settings WHERE name = 'server_version_num' AND setting::int < {OLDEST}0000",
    ),
    (
        Level.PROBLEM,
        "The server has read pages whose checksum is wrong.",
        RESTORE,
        "SELECT 1 FROM pg_stat_database WHERE datname = current_database() AND checksum_failures > 0",
    ),
)
"""Level, what was found, what to do, and a query that has a row if it is so."""


def _driver(connection: Connection) -> Any:
    return connection.connection.driver_connection
