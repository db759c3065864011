"""The database: where it is, how a connection to it is set up, and the two kinds of transaction."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy
from sqlalchemy import Connection, Engine, event, make_url
from sqlalchemy.engine import URL

from glyphd.errors import StoreUnavailable
from glyphd.store.translate import translating
from glyphd.store.turnstile import Turnstile


class UnitOfWork:
    """One writing transaction. Leaving it without :meth:`commit` rolls back."""

    def __init__(self, connection: Connection) -> None:
        """Wrap a connection whose transaction has begun."""
        self.connection = connection
        self.committed = False

    def commit(self) -> None:
        """Make everything written since the start visible and durable."""
        self.connection.exec_driver_sql("COMMIT")
        self.committed = True


class Database:
    """One database by URL. Transactions are begun by hand, never by the driver, so that DDL is in them too."""

    def __init__(self, url: str, *, pool_size: int = 16) -> None:
        """Prepare connections; nothing is opened yet. Raises StoreUnavailable for a URL that is not understood."""
        self.url = make_url(url)
        if self.url.get_backend_name() != "sqlite" or not self.url.database:
            raise StoreUnavailable(f"{self.url.render_as_string()} is not a database that glyphd runs on.")
        self.path = Path(self.url.database)
        self._turnstile = Turnstile(self.path.with_name(self.path.name + "-turnstile"))
        self.engine = _sqlite_engine(self.url, pool_size)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """One snapshot: everything read inside belongs to one state of the database."""
        with translating(), self.engine.connect() as connection:
            connection.exec_driver_sql("BEGIN")
            try:
                yield connection
            finally:
                connection.exec_driver_sql("ROLLBACK")

    @contextmanager
    def writing(self, *, durable: bool = True) -> Iterator[UnitOfWork]:
        """One writing transaction, begun when it is this writer's turn.

        ``durable``: the commit survives a power loss. Without it only what was durable before is certain to survive;
        an import's chunks need no more, since a takeover starts from the artifact.
        """
        with translating(), self.engine.connect() as connection, self._turnstile.turn():
            connection.exec_driver_sql(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            work = UnitOfWork(connection)
            try:
                yield work
            finally:
                if not work.committed and _in_transaction(connection):
                    connection.exec_driver_sql("ROLLBACK")

    def give_way(self) -> None:
        """Let a waiting writer in between two steps of a long piece of work."""
        time.sleep(0.001)

    def dispose(self) -> None:
        """Close every connection."""
        self.engine.dispose()


def _in_transaction(connection: Connection) -> bool:
    driver: Any = connection.connection.driver_connection
    return bool(driver.in_transaction)  # SQLite itself rolls back on some errors (disk full)


def _sqlite_engine(url: URL, pool_size: int) -> Engine:
    Path(url.database or "").parent.mkdir(parents=True, exist_ok=True)
    engine = sqlalchemy.create_engine(
        url,
        pool_size=pool_size,
        max_overflow=pool_size,
        pool_timeout=30,
        pool_reset_on_return=None,
        connect_args={"isolation_level": None, "timeout": 60, "check_same_thread": False},
    )
    # SQLAlchemy's own begin and rollback would open and end transactions beside ours.
    event.listen(engine, "connect", _set_up_sqlite)
    return engine


def _set_up_sqlite(connection: sqlite3.Connection, _record: Any) -> None:
    for pragma in (
        "journal_mode = WAL",
        "synchronous = FULL",
        "foreign_keys = ON",
        "busy_timeout = 60000",
        "cache_size = -32000",
        "temp_store = MEMORY",
    ):
        connection.execute(f"PRAGMA {pragma}")
