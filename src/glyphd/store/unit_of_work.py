"""One writing transaction."""

from collections.abc import Mapping
from typing import Any

import polars as pl
from sqlalchemy import Connection, Table

from glyphd.store.engine import StoreEngine


class UnitOfWork:
    """One writing transaction. Leaving it without :meth:`commit` rolls back."""

    def __init__(self, connection: Connection, engine: StoreEngine) -> None:
        """Wrap a connection whose transaction has begun."""
        self.connection = connection
        self.committed = False
        self._engine = engine

    def append(
        self, table: Table, rows: pl.DataFrame, constants: Mapping[str, Any], *, keep_existing: bool = False
    ) -> None:
        """Insert many rows at once, as the engine does it best; see :meth:`StoreEngine.append`."""
        if len(rows):
            self._engine.append(self.connection, table, rows, constants, keep_existing=keep_existing)

    def renumber(self, table: Table, highest: int) -> None:
        """See to it that new rows of a table get numbers above this one."""
        self._engine.renumber(self.connection, table, highest)

    def lock(self, name: str) -> None:
        """Hold a name until the transaction ends, where writers do not wait for each other anyway."""
        self._engine.lock(self.connection, name)

    def commit(self) -> None:
        """Make everything written since the start visible and durable."""
        self._engine.commit(self.connection)
        self.committed = True
