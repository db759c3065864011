"""The steps of the migrations on PostgreSQL (`glyphd.store.migrations.steps`)."""

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, Engine
from sqlalchemy.schema import SchemaItem

from glyphd.store.migrations.postgresql import (
    adoption,
    derived,
    guards,
    layout,
    ledger,
    ledger_columns,
    legacy_raw,
    parking,
    rows,
    rows_down,
    transaction,
)


class PostgresSteps:
    """Tables are altered where they are."""

    def exclusive_transaction(
        self, engine: Engine, *, keep: bool
    ) -> AbstractContextManager[tuple[Connection, list[str]]]:
        """One transaction that begins with an advisory lock."""
        return transaction.exclusive_transaction(engine, keep=keep)

    def shut_out(self, connection: Connection) -> None:
        """Lock the tables that there are, readers out as well, before anything depends on what they hold."""
        transaction.shut_out(connection)

    def adopt(self, connection: Connection) -> None:
        """Create what is missing."""
        adoption.adopt(connection)

    def extend_ledger(self, connection: Connection, columns: "Iterable[sa.Column[Any]]") -> None:
        """Add columns to the ledger."""
        ledger.extend(connection, columns)

    def reduce_ledger(self, connection: Connection, columns: "Iterable[sa.Column[Any]]") -> None:
        """Drop columns of the ledger."""
        ledger.reduce(connection, columns)

    def attach_rows(self, connection: Connection) -> None:
        """Add import_index; import_id is required. The indexes of the old layout go first."""
        rows.attach(connection)

    def detach_rows(self, connection: Connection) -> None:
        """Drop import_index; import_id may be NULL."""
        rows_down.detach(connection)

    def key_by_import(self, connection: Connection) -> None:
        """The key by id and references row by row go; the indexes went before rows were numbered."""
        layout.key_by_import(connection)

    def restore_layout(self, connection: Connection) -> None:
        """They come back."""
        layout.restore_layout(connection)

    def fill_sightings(self, connection: Connection) -> None:
        """Derive sightings, their keys in Python."""
        derived.fill_sightings(connection)

    def fill_statistics(self, connection: Connection) -> None:
        """Derive figures and facets; from here on figures tell which models are in use."""
        derived.fill_statistics(connection)

    def park_derived(self, connection: Connection, *tables: str) -> None:
        """Park derived tables beside the fingerprints of their rows."""
        derived.park_derived(connection, *tables)

    def import_key(self, table: str) -> tuple[SchemaItem, ...]:
        """Keyed by import and number; the import is guarded, not referred to."""
        return (sa.PrimaryKeyConstraint("import_id", "import_index"),)

    def guard_imports(self, connection: Connection, table: str) -> None:
        """Make the triggers that stand for a foreign key."""
        guards.guard_imports(connection, table)

    def release_imports(self, connection: Connection, table: str) -> None:
        """Drop them."""
        guards.release_imports(connection, table)

    def guard_models(self, connection: Connection) -> None:
        """Make the triggers that stand for a foreign key."""
        guards.guard_models(connection)

    def release_models(self, connection: Connection) -> None:
        """Drop them."""
        guards.release_models(connection)

    def return_table(self, connection: Connection, table: str, rows: str = "") -> None:
        """Put the parked rows of a table back."""
        parking.return_rows(connection, table, rows)

    def park_table(self, connection: Connection, table: str) -> None:
        """Take a table out of the schema and keep its rows."""
        parking.park_table(connection, table)

    def add_legacy_raw(self, connection: Connection) -> None:
        """Add the column."""
        legacy_raw.add(connection)

    def drop_legacy_raw(self, connection: Connection) -> None:
        """Drop the column."""
        legacy_raw.drop(connection)

    def add_ledger_columns(self, connection: Connection, revision: str, columns: "Sequence[sa.Column[Any]]") -> None:
        """Add them."""
        ledger_columns.add(connection, revision, columns)

    def drop_ledger_columns(self, connection: Connection, revision: str, columns: "Sequence[sa.Column[Any]]") -> None:
        """Drop them."""
        ledger_columns.drop(connection, revision, columns)

    def index_row_numbers(self, connection: Connection) -> None:
        """Make a small index of the order in which rows lie."""
        index = "ix_scored_listings_id ON scored_listings USING brin (id) WITH (autosummarize=on)"
        connection.exec_driver_sql(f"CREATE INDEX {index}")

    def forget_row_numbers(self, connection: Connection) -> None:
        """Drop it."""
        connection.exec_driver_sql("DROP INDEX ix_scored_listings_id")
