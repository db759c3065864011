"""The database: one engine by URL, and the two kinds of transaction."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path

import sqlalchemy
from sqlalchemy import URL, Connection, make_url
from sqlalchemy.exc import ArgumentError

from glyphd.domain.findings import Finding
from glyphd.errors import StoreUnavailable
from glyphd.store.engine import StepRows, StoreEngine
from glyphd.store.postgresql import PostgresEngine
from glyphd.store.reading_processes import ReadingProcesses
from glyphd.store.sqlite import SqliteEngine
from glyphd.store.translate import translating
from glyphd.store.unit_of_work import UnitOfWork

ROWS_WORTH_PROCESSES = 50_000


class Database:
    """One database by URL."""

    def __init__(self, url: str, *, pool_size: int = 16, silence_seconds: float = 30) -> None:
        """Prepare connections; nothing is opened yet. Raises StoreUnavailable for a URL that is not understood.

        ``silence_seconds``: where a silent writer could hold others up, it is cut off after so long.
        """
        try:
            self.url = make_url(url)
        except ArgumentError as exc:
            raise StoreUnavailable("GLYPHD_DATABASE_URL is not the URL of a database.") from exc
        self._engine = _engine_of(self.url, pool_size, silence_seconds)

    @property
    def engine(self) -> sqlalchemy.Engine:
        """Where connections are taken from; for migrations, which run their own transactions."""
        return self._engine.pool

    @property
    def location(self) -> Path | None:
        """The file or folder in which it lies; None where this machine cannot see it."""
        return self._engine.location

    def faults(self) -> list[Finding]:
        """Return what is wrong with it that only its engine can tell; may read all of it."""
        with self.reading() as connection:
            return self._engine.faults(connection)

    @property
    def step_rows(self) -> StepRows:
        """How many rows one step of an import takes, so that others hardly notice."""
        return self._engine.step_rows

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """One snapshot: everything read inside belongs to one state of the database."""
        with translating(), self.engine.connect() as connection:
            self._engine.begin_reading(connection)
            try:
                yield connection
            finally:
                if self._engine.in_transaction(connection):
                    connection.exec_driver_sql("ROLLBACK")

    def reading_processes(self, rows: int) -> AbstractContextManager[ReadingProcesses | None]:
        """Have processes that read columns as long as the context lasts, if so many rows are worth them."""
        return self._engine.reading_processes() if rows >= ROWS_WORTH_PROCESSES else nullcontext()

    def verbatim(self, connection: Connection) -> AbstractContextManager[None]:
        """Read text that is not UTF-8 with lone surrogates in place of its bytes, as long as the context lasts."""
        return self._engine.verbatim(connection)

    @contextmanager
    def writing(self, *, durable: bool = True) -> Iterator[UnitOfWork]:
        """One writing transaction, begun when it is this writer's turn.

        ``durable``: the commit survives a power loss. Without it only what was durable before is certain to survive;
        an import's chunks need no more, since a takeover starts from the artifact.
        """
        with (
            translating(),
            self.engine.connect() as connection,
            self._engine.turn(connection, durable=durable),
        ):
            work = UnitOfWork(connection, self._engine)
            try:
                yield work
            finally:
                if not work.committed and self._engine.in_transaction(connection):
                    connection.exec_driver_sql("ROLLBACK")

    def give_way(self) -> None:
        """Let a waiting writer in between two steps of a long piece of work."""
        self._engine.give_way()

    def dispose(self) -> None:
        """Close every connection."""
        self.engine.dispose()


def _engine_of(url: URL, pool_size: int, silence_seconds: float) -> StoreEngine:
    if url.database and url.get_backend_name() == "sqlite":
        return SqliteEngine(url, pool_size)
    if url.database and url.get_backend_name() == "postgresql":
        return PostgresEngine(url, pool_size, silence_seconds)
    raise StoreUnavailable(f"{url.render_as_string()} is not a database that glyphd runs on.")
