"""Revision 0011 on PostgreSQL: a column of type JSON comes and goes."""

from sqlalchemy import Connection

from glyphd.store.migrations.legacy_values import COLUMN, TABLES, parked_name, parked_values, return_values
from glyphd.store.migrations.postgresql.parking import forget, is_parked, park_what_there_is, untouched


def add(connection: Connection) -> None:
    """Add the column to every table; parked values return."""
    for table in TABLES:
        connection.exec_driver_sql(f"ALTER TABLE {table} ADD COLUMN {COLUMN} JSON")
        if is_parked(connection, parked_name(table)):
            with untouched(connection, [table]):
                return_values(connection, table)
            forget(connection, parked_name(table))


def drop(connection: Connection) -> None:
    """Park what the column holds, and drop it."""
    for table in TABLES:
        park_what_there_is(connection, parked_name(table), parked_values(table))
        connection.exec_driver_sql(f"ALTER TABLE {table} DROP COLUMN {COLUMN}")
