"""Columns that a later revision gives the ledger, on SQLite; their values wait under the names of their imports.

They come and go by ALTER TABLE, which leaves the rest of the text as it was. A ledger from the field that has a column
of such a name already is rebuilt: its own columns wait and come back.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from glyphd.store.migrations.rules import PREFIX, ledger_values, return_ledger_values
from glyphd.store.migrations.sqlite.ddl import TableText, column_text, quoted
from glyphd.store.migrations.sqlite.parking import forget, is_parked, park, park_texts, take_texts
from glyphd.store.migrations.sqlite.rebuilding import (
    column_names,
    create_text,
    rebuild,
    triggers_set_aside,
    views_set_aside,
)

_LEDGER = "import_batches"


def add(connection: Connection, revision: str, columns: "Sequence[sa.Column[Any]]") -> None:
    """Add the columns; parked values return."""
    declared = {column.name: column_text(column) for column in columns}
    here = {name.lower() for name in column_names(connection, _LEDGER)}
    with triggers_set_aside(connection), views_set_aside(connection):
        if found := [name for name in declared if name in here]:
            _replace(connection, revision, found, declared)
        else:
            for text in declared.values():
                connection.exec_driver_sql(f"ALTER TABLE {_LEDGER} ADD COLUMN {text}")
        name = f"{_LEDGER}_{revision}"
        if is_parked(connection, name):
            connection.exec_driver_sql(return_ledger_values(name, declared))
            forget(connection, name)


def drop(connection: Connection, revision: str, columns: "Sequence[sa.Column[Any]]") -> None:
    """Park what the columns hold, and drop them."""
    names = [column.name for column in columns]
    park(connection, f"{_LEDGER}_{revision}", ledger_values(names))
    texts = take_texts(connection, revision)
    with triggers_set_aside(connection), views_set_aside(connection):
        if texts:
            _put_back(connection, revision, texts[_LEDGER], names)
        else:
            for name in names:
                connection.exec_driver_sql(f"ALTER TABLE {_LEDGER} DROP COLUMN {name}")


def _replace(connection: Connection, revision: str, found: Sequence[str], declared: Mapping[str, str]) -> None:
    """Put our columns in the place of those that were found, and keep their values."""
    sql = create_text(connection, _LEDGER)
    park_texts(connection, revision, [(_LEDGER, sql)])
    park(connection, _found(revision), f"SELECT id, {', '.join(map(quoted, found))} FROM {_LEDGER}")
    rebuild(connection, _LEDGER, str(TableText.parse(sql).with_columns(declared)), dict.fromkeys(found, ""))


def _put_back(connection: Connection, revision: str, sql: str, going: Sequence[str]) -> None:
    found = _found(revision)
    values = {name.lower(): f"f.{quoted(name)}" for name in column_names(connection, PREFIX + found) if name != "id"}
    rows = f"LEFT JOIN {PREFIX}{found} f ON f.id = o.id"
    rebuild(connection, _LEDGER, sql, values, rows=rows, going=going)
    forget(connection, found)


def _found(revision: str) -> str:
    return f"{_LEDGER}_{revision}_found"
