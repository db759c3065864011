"""The steps of the migrations on SQLite (`glyphd.store.migrations.steps`)."""

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, Engine
from sqlalchemy.schema import SchemaItem

from glyphd.store.migrations.sqlite import (
    adoption,
    derived,
    layout,
    ledger_columns,
    ledger_down,
    ledger_up,
    legacy_raw,
    parking,
    rows_down,
    rows_up,
    transaction,
)


class SqliteSteps:
    """Tables are rebuilt from their own text, whatever they looked like in the field."""

    def exclusive_transaction(
        self, engine: Engine, *, keep: bool
    ) -> AbstractContextManager[tuple[Connection, list[str]]]:
        """One `BEGIN IMMEDIATE` with the pragmas that a rebuild needs."""
        return transaction.exclusive_transaction(engine, keep=keep)

    def shut_out(self, connection: Connection) -> None:
        """Nothing to do: there is one writer at a time."""

    def adopt(self, connection: Connection) -> None:
        """Take over a database from the field, whatever its shape."""
        adoption.adopt(connection)

    def extend_ledger(self, connection: Connection, columns: "Iterable[sa.Column[Any]]") -> None:
        """Rebuild the ledger with its new columns."""
        ledger_up.extend(connection, columns)

    def reduce_ledger(self, connection: Connection, columns: "Iterable[sa.Column[Any]]") -> None:
        """Rebuild the ledger from its text as it was found."""
        ledger_down.reduce(connection, [column.name for column in columns])

    def attach_rows(self, connection: Connection) -> None:
        """Rebuild the row tables with import_id and import_index."""
        rows_up.attach(connection)

    def detach_rows(self, connection: Connection) -> None:
        """Rebuild the row tables from their text as it was found."""
        rows_down.detach(connection)

    def key_by_import(self, connection: Connection) -> None:
        """Drop the indexes of the old layout, whatever they are called."""
        layout.drop_single_column_indexes(connection)

    def restore_layout(self, connection: Connection) -> None:
        """Run the text of the old indexes again."""
        layout.restore_indexes(connection)

    def fill_sightings(self, connection: Connection) -> None:
        """Derive sightings inside the database."""
        derived.fill_sightings(connection)

    def fill_statistics(self, connection: Connection) -> None:
        """Derive figures and facets inside the database."""
        derived.fill_statistics(connection)

    def park_derived(self, connection: Connection, *tables: str) -> None:
        """Park derived tables beside the fingerprints of their rows."""
        derived.park(connection, *tables)

    def import_key(self, table: str) -> tuple[SchemaItem, ...]:
        """Keyed by `id`; import and number are unique; the import cannot be deleted."""
        return (
            sa.PrimaryKeyConstraint("id"),
            sa.ForeignKeyConstraint(["import_id"], ["import_batches.import_id"], ondelete="RESTRICT"),
            sa.UniqueConstraint("import_id", "import_index", name=f"uq_{table}_import_index"),
        )

    def guard_imports(self, connection: Connection, table: str) -> None:
        """Nothing to do: there is a foreign key."""

    def release_imports(self, connection: Connection, table: str) -> None:
        """Nothing to do."""

    def guard_models(self, connection: Connection) -> None:
        """Nothing to do: there are foreign keys."""

    def release_models(self, connection: Connection) -> None:
        """Nothing to do."""

    def return_table(self, connection: Connection, table: str, rows: str = "") -> None:
        """Put the parked rows of a table back."""
        parking.return_rows(connection, table, rows)

    def park_table(self, connection: Connection, table: str) -> None:
        """Take a table out of the schema and keep its rows."""
        parking.park_table(connection, table)

    def add_legacy_raw(self, connection: Connection) -> None:
        """Add the column to the text of the tables."""
        legacy_raw.add(connection)

    def drop_legacy_raw(self, connection: Connection) -> None:
        """Take the column out of the text of the tables."""
        legacy_raw.drop(connection)

    def add_ledger_columns(self, connection: Connection, revision: str, columns: "Sequence[sa.Column[Any]]") -> None:
        """Add them to the text of the ledger."""
        ledger_columns.add(connection, revision, columns)

    def drop_ledger_columns(self, connection: Connection, revision: str, columns: "Sequence[sa.Column[Any]]") -> None:
        """Take them out of the text of the ledger."""
        ledger_columns.drop(connection, revision, columns)

    def index_row_numbers(self, connection: Connection) -> None:
        """Nothing to do: the number is the key of the table."""

    def forget_row_numbers(self, connection: Connection) -> None:
        """Nothing to do."""
