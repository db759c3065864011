"""Which imports the rows of a database in the field speak of, on record or not."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection

from glyphd.store.migrations.rules import ROW_TABLES, SYNTHETIC
from glyphd.store.migrations.sqlite.ddl import quoted


def named(column: str) -> str:
    """Return SQL for the import a row names: text, NULL if it is blank."""
    return f"NULLIF(trim(CAST({column} AS TEXT)), '')"


def owner(column: str) -> str:
    """Return SQL for the import a row belongs to."""
    return f"CASE WHEN {named(column)} IS NULL THEN '{SYNTHETIC}' ELSE CAST({column} AS TEXT) END"


@contextmanager
def imports_spoken_of(connection: Connection) -> Iterator[str]:
    """Yield a temporary table (import_id, scored, oldest): each import that rows or models name, its scored rows, and
    the oldest `created_at` of its rows.
    """
    parts = [
        f"SELECT {owner('import_id')} AS import_id, {int(table == ROW_TABLES[0])} AS scored, created_at FROM {table}"
        for table in ROW_TABLES
    ]
    parts.append(f"SELECT CAST(import_id AS TEXT), 0, created_at FROM models WHERE {named('import_id')} NOT NULL")
    name = "temp._glyphd_spoken_of"
    connection.exec_driver_sql("CREATE TEMP TABLE _glyphd_spoken_of (import_id TEXT PRIMARY KEY, scored INT, oldest)")
    connection.exec_driver_sql(
        f"INSERT INTO {name} SELECT import_id, SUM(scored), MIN(created_at)"
        f" FROM ({' UNION ALL '.join(parts)}) GROUP BY 1"
    )
    yield name
    connection.exec_driver_sql(f"DROP TABLE {name}")


@contextmanager
def temporary(connection: Connection, name: str, query: str, columns: str = "") -> Iterator[str]:
    """Yield a temporary table with the result of a query, keyed if it is given ``columns``."""
    if columns:
        connection.exec_driver_sql(f"CREATE TEMP TABLE {quoted(name)} ({columns})")
        connection.exec_driver_sql(f"INSERT INTO temp.{quoted(name)} {query}")
    else:
        connection.exec_driver_sql(f"CREATE TEMP TABLE {quoted(name)} AS {query}")
    yield f"temp.{quoted(name)}"
    connection.exec_driver_sql(f"DROP TABLE temp.{quoted(name)}")
