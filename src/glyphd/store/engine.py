"""What an engine is to the rest of the store; each engine is one module."""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Protocol

import polars as pl
import sqlalchemy
from sqlalchemy import Connection, Table

from glyphd.domain.findings import Finding
from glyphd.store.reading_processes import ReadingProcesses


@dataclass(frozen=True, slots=True)
class StepRows:
    """How many rows one short transaction of an import takes: of listings, and of what is derived from them."""

    listings: int
    derived: int


class StoreEngine(Protocol):
    """A database engine, in the few things in which engines differ."""

    step_rows: ClassVar[StepRows]

    @property
    def pool(self) -> sqlalchemy.Engine:
        """Where connections are taken from."""
        ...

    @property
    def location(self) -> Path | None:
        """The file or folder in which the database lies; None where this machine cannot see it."""
        ...

    def begin_reading(self, connection: Connection) -> None:
        """Begin a snapshot: everything read until its end belongs to one state of the database."""
        ...

    def verbatim(self, connection: Connection) -> AbstractContextManager[None]:
        """Read text that is not UTF-8 with lone surrogates in place of its bytes, as long as the context lasts."""
        ...

    def reading_processes(self) -> AbstractContextManager[ReadingProcesses | None]:
        """Have processes that read the same database as columns as long as the context lasts, where that pays."""
        ...

    def turn(self, connection: Connection, *, durable: bool) -> AbstractContextManager[None]:
        """Begin a writing transaction when it is this writer's turn; the turn lasts as long as the context."""
        ...

    def commit(self, connection: Connection) -> None:
        """Commit the writing transaction."""
        ...

    def in_transaction(self, connection: Connection) -> bool:
        """Tell whether there is still something to roll back."""
        ...

    def lock(self, connection: Connection, name: str) -> None:
        """Hold a name until the transaction ends; whoever else wants it waits."""
        ...

    def append(
        self,
        connection: Connection,
        table: Table,
        rows: pl.DataFrame,
        constants: Mapping[str, Any],
        *,
        keep_existing: bool,
    ) -> None:
        """Insert many rows in their order. ``constants`` are columns that hold one value in every row.

        ``keep_existing``: a row whose key is there already is left as it is.
        """
        ...

    def renumber(self, connection: Connection, table: Table, highest: int) -> None:
        """See to it that new rows of a table get numbers above one that was inserted with its number given."""
        ...

    def give_way(self) -> None:
        """Let a waiting writer in between two steps of a long piece of work."""
        ...

    def faults(self, connection: Connection) -> list[Finding]:
        """Return what is wrong with the database that only its engine can tell; reads only, and may read all of it."""
        ...
