"""Revision 0011, on both engines: the values of `legacy_raw` wait in parked tables and return to their rows.

A row is known again by its import and number, which nobody gives out twice, and failing that (somebody moved it to
another import meanwhile) by its id; an import and a model are known by their names.
"""

from sqlalchemy import Connection

from glyphd.store.migrations.rules import PREFIX, ROW_TABLES

COLUMN = "legacy_raw"
TABLES = ("import_batches", "models", *ROW_TABLES)
_NAMES = {"import_batches": "import_id", "models": "model"}


def parked_name(table: str) -> str:
    """Return under which name the values of a table are parked."""
    return f"{table}_{COLUMN}"


def parked_values(table: str) -> str:
    """Return the query whose result is parked."""
    key = _NAMES.get(table, "id, import_id, import_index")
    return f"SELECT {key}, {COLUMN} FROM {table} WHERE {COLUMN} IS NOT NULL"


def return_values(connection: Connection, table: str) -> None:
    """Put the parked values of a table back where their rows are."""
    parked, name = f"{PREFIX}{parked_name(table)}", _NAMES.get(table)
    update = f"UPDATE {table} SET {COLUMN} = p.{COLUMN} FROM {parked} p WHERE"
    if name:
        connection.exec_driver_sql(f"{update} p.{name} = {table}.{name}")
        return
    place = "l.import_id = p.import_id AND l.import_index = p.import_index"
    connection.exec_driver_sql(f"{update} {place.replace('l.', f'{table}.')}")
    connection.exec_driver_sql(
        f"{update} p.id = {table}.id AND {table}.{COLUMN} IS NULL"
        f" AND NOT EXISTS (SELECT 1 FROM {table} l WHERE {place})"
    )
