"""What engines do differently in a migration, behind one protocol: the revisions are one set for both."""

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

import sqlalchemy as sa
from sqlalchemy import Connection, Engine
from sqlalchemy.schema import SchemaItem

from glyphd.store.migrations.postgresql.steps import PostgresSteps
from glyphd.store.migrations.sqlite.steps import SqliteSteps


class Steps(Protocol):
    """The work of the revisions that is more than creating a table; up first, then down."""

    def exclusive_transaction(
        self, engine: Engine, *, keep: bool
    ) -> AbstractContextManager[tuple[Connection, list[str]]]:
        """One transaction around all revisions, by one migrator at a time, and the list of statements that change
        something. Committed on leaving if ``keep``, else rolled back.
        """
        ...

    def shut_out(self, connection: Connection) -> None:
        """Keep everybody else out of the tables until the transaction ends; called when there is something to do."""
        ...

    def adopt(self, connection: Connection) -> None:
        """Create or complete the tables of the baseline. Raises MigrationFailed for a table that is something else."""
        ...

    def extend_ledger(self, connection: Connection, columns: "Iterable[sa.Column[Any]]") -> None:
        """Give the ledger its new columns and fill them; imports that were parked return."""
        ...

    def reduce_ledger(self, connection: Connection, columns: "Iterable[sa.Column[Any]]") -> None:
        """Park the ledger; keep, in the old shape, the imports that an old reader would count."""
        ...

    def attach_rows(self, connection: Connection) -> None:
        """Attach the rows of all tables to their imports and number them; rows that were parked return."""
        ...

    def detach_rows(self, connection: Connection) -> None:
        """Give the row tables their old shape; park the rows that an old reader must not see."""
        ...

    def key_by_import(self, connection: Connection) -> None:
        """Let go of the old layout, so that rows are reached by their import."""
        ...

    def restore_layout(self, connection: Connection) -> None:
        """Bring the indexes and keys of the old layout back."""
        ...

    def fill_sightings(self, connection: Connection) -> None:
        """Return parked sightings that still hold, and derive them for the other imports."""
        ...

    def fill_statistics(self, connection: Connection) -> None:
        """Return parked figures and facets that still hold, and derive them for the other imports."""
        ...

    def park_derived(self, connection: Connection, *tables: str) -> None:
        """Take derived tables out of the schema; remember what they were derived from."""
        ...

    def import_key(self, table: str) -> tuple[SchemaItem, ...]:
        """Return the constraints of a table with `id` that an import fills in bulk (`store.tables`)."""
        ...

    def guard_imports(self, connection: Connection, table: str) -> None:
        """Refuse to delete an import that has rows in a table, where no foreign key does."""
        ...

    def release_imports(self, connection: Connection, table: str) -> None:
        """Undo :meth:`guard_imports`."""
        ...

    def guard_models(self, connection: Connection) -> None:
        """Refuse to delete a model that is in use, where no foreign key sees to it."""
        ...

    def release_models(self, connection: Connection) -> None:
        """Undo :meth:`guard_models`."""
        ...

    def return_table(self, connection: Connection, table: str, rows: str = "") -> None:
        """Put the parked rows of a table back; ``rows`` is SQL after `FROM … p` that chooses them."""
        ...

    def park_table(self, connection: Connection, table: str) -> None:
        """Take a table out of the schema and keep its rows."""
        ...

    def add_legacy_raw(self, connection: Connection) -> None:
        """Add the column `legacy_raw`; its parked values return."""
        ...

    def drop_legacy_raw(self, connection: Connection) -> None:
        """Park the values of `legacy_raw` and drop the column."""
        ...

    def add_ledger_columns(self, connection: Connection, revision: str, columns: "Sequence[sa.Column[Any]]") -> None:
        """Add a revision's columns to the ledger; their parked values return."""
        ...

    def drop_ledger_columns(self, connection: Connection, revision: str, columns: "Sequence[sa.Column[Any]]") -> None:
        """Park the values of a revision's columns and drop them."""
        ...

    def index_row_numbers(self, connection: Connection) -> None:
        """Let scored listings be found by their number, where nothing does."""
        ...

    def forget_row_numbers(self, connection: Connection) -> None:
        """Undo :meth:`index_row_numbers`."""
        ...


_ENGINES: dict[str, Steps] = {"sqlite": SqliteSteps(), "postgresql": PostgresSteps()}


def steps_of(at: Connection | Engine) -> Steps:
    """Return the steps of the engine that a connection or pool belongs to."""
    return _ENGINES[at.dialect.name]
