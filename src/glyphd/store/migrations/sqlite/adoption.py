"""Revision 0001 on SQLite: take over a database from the field, whatever its shape.

Told by its tables and columns, never by `schema_version`: several shapes all say `1.0.0`. Missing tables are created,
missing columns are added with the value a new row would have; everything else is left exactly as found, indexes,
triggers, views and unknown tables and columns included.
"""

import sqlalchemy as sa
from sqlalchemy import Connection

from glyphd.errors import MigrationFailed
from glyphd.store.migrations import baseline
from glyphd.store.migrations.sqlite.ddl import TableText, column_text, quoted
from glyphd.store.migrations.sqlite.rebuilding import (
    column_names,
    create_text,
    rebuild,
    table_names,
    triggers_set_aside,
)

_WITHOUT_THEM_IT_IS_SOMETHING_ELSE = {
    "import_batches": {"import_id"},
    "models": {"model"},
    "listings": {"title", "price", "canonical_model"},
    "scored_listings": {"canonical_model", "price", "score"},
    "quantized_listings": {"scored_listing_id"},
}


def adopt(connection: Connection) -> None:
    """Create or complete the tables of the baseline. Raises MigrationFailed for a table that cannot be listings."""
    found = {name.lower() for name in table_names(connection)}
    missing = [table for table in baseline.metadata.sorted_tables if table.name not in found]
    with triggers_set_aside(connection):
        for table in baseline.metadata.sorted_tables:
            if table.name in found:
                _complete(connection, table)
    for table in missing:
        table.create(connection)
        if table.name in baseline.BUMPED:
            connection.exec_driver_sql(_bump_trigger(table.name))


def _complete(connection: Connection, table: sa.Table) -> None:
    _check(connection, table)
    here = {name.lower() for name in column_names(connection, table.name)}
    missing = [column for column in table.columns if column.name not in here]
    if not missing:
        return
    text = TableText.parse(create_text(connection, table.name))
    text = text.with_columns({column.name: column_text(column) for column in missing})
    values = {c.name: _value(c) for c in missing if not c.nullable and c.server_default is None}
    rebuild(connection, table.name, str(text), values)


def _check(connection: Connection, table: sa.Table) -> None:
    columns = {row[1].lower(): row for row in connection.exec_driver_sql(f"PRAGMA table_info({quoted(table.name)})")}
    missing = _WITHOUT_THEM_IT_IS_SOMETHING_ELSE.get(table.name, set()) - columns.keys()
    if missing:
        raise MigrationFailed(f"Table {table.name} has no column {min(missing)}: this is no database of listings.")
    key = columns.get("id")
    if key is None or key[2].upper() != "INTEGER" or key[5] != 1 or sum(row[5] > 0 for row in columns.values()) != 1:
        raise MigrationFailed(f"Table {table.name} has no column `id INTEGER PRIMARY KEY`: glyphd cannot adopt it.")


def _value(column: "sa.Column[object]") -> str:
    return "''" if isinstance(column.type, sa.Text) else "0"


def _bump_trigger(table: str) -> str:
    """Return the trigger that keeps `updated_at` of a table."""
    return (
        f"CREATE TRIGGER update_{table}_timestamp\nAFTER UPDATE ON {table}\nBEGIN\n"
        f"    UPDATE {table} SET updated_at = CURRENT_TIMESTAMP WHERE id = NEW.id;\nEND"
    )
