"""Revision 0011 on SQLite: the column comes and goes by ALTER TABLE, which leaves the rest of the text as it was.

A table from the field that has a column of this name already is rebuilt: its own column waits and comes back.
"""

from sqlalchemy import Connection

from glyphd.store.migrations.legacy_values import COLUMN, TABLES, parked_name, parked_values, return_values
from glyphd.store.migrations.rules import PREFIX
from glyphd.store.migrations.sqlite.ddl import TableText
from glyphd.store.migrations.sqlite.parking import forget, is_parked, park, park_texts, take_texts
from glyphd.store.migrations.sqlite.rebuilding import (
    create_text,
    has_columns,
    rebuild,
    triggers_set_aside,
    views_set_aside,
)

_REVISION = "0011"
_DECLARED = f"{COLUMN} TEXT"


def add(connection: Connection) -> None:
    """Add the column to every table; parked values return."""
    with triggers_set_aside(connection):
        for table in TABLES:
            if has_columns(connection, table, COLUMN):
                _replace(connection, table)
            else:
                connection.exec_driver_sql(f"ALTER TABLE {table} ADD COLUMN {_DECLARED}")
            if is_parked(connection, parked_name(table)):
                return_values(connection, table)
                forget(connection, parked_name(table))


def drop(connection: Connection) -> None:
    """Park what the column holds, and drop it."""
    texts = take_texts(connection, _REVISION)
    with triggers_set_aside(connection), views_set_aside(connection):
        for table in TABLES:
            if not connection.exec_driver_sql(
                f"SELECT count(*) FROM {park(connection, parked_name(table), parked_values(table))}"
            ).scalar():
                forget(connection, parked_name(table))
            if table in texts:
                _put_back(connection, table, texts[table])
            else:
                connection.exec_driver_sql(f"ALTER TABLE {table} DROP COLUMN {COLUMN}")


def _replace(connection: Connection, table: str) -> None:
    """Put our column in the place of the one that was found, and keep that one's values."""
    sql = create_text(connection, table)
    park_texts(connection, _REVISION, [(table, sql)])
    park(connection, _found(table), f"SELECT id, {COLUMN} FROM {table}")
    text = TableText.parse(sql).with_columns({COLUMN: _DECLARED})
    rebuild(connection, table, str(text), {COLUMN: ""})


def _put_back(connection: Connection, table: str, sql: str) -> None:
    found = f"LEFT JOIN {PREFIX}{_found(table)} f ON f.id = o.id"
    rebuild(connection, table, sql, {COLUMN: f"f.{COLUMN}"}, rows=found, going=())
    forget(connection, _found(table))


def _found(table: str) -> str:
    return f"{table}_{COLUMN}_found"
