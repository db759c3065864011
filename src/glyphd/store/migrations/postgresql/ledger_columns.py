"""Columns that a later revision gives the ledger, on PostgreSQL; their values wait under the names of their imports."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from glyphd.store.migrations.postgresql.ledger import declared
from glyphd.store.migrations.postgresql.parking import forget, is_parked, park, untouched
from glyphd.store.migrations.rules import ledger_values, return_ledger_values


def add(connection: Connection, revision: str, columns: "Sequence[sa.Column[Any]]") -> None:
    """Add the columns; parked values return."""
    added = ", ".join(f"ADD COLUMN {declared(connection, column)}" for column in columns)
    connection.exec_driver_sql(f"ALTER TABLE import_batches {added}")
    name, names = f"import_batches_{revision}", [column.name for column in columns]
    if is_parked(connection, name):
        with untouched(connection, ["import_batches"]):
            connection.exec_driver_sql(return_ledger_values(name, names))
        forget(connection, name)


def drop(connection: Connection, revision: str, columns: "Sequence[sa.Column[Any]]") -> None:
    """Park what the columns hold, and drop them."""
    names = [column.name for column in columns]
    park(connection, f"import_batches_{revision}", ledger_values(names))
    connection.exec_driver_sql(f"ALTER TABLE import_batches {', '.join(f'DROP COLUMN {name}' for name in names)}")
