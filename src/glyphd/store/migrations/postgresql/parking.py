"""Parked tables on PostgreSQL: they have no keys and refer to nothing; identities are never given out twice."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from sqlalchemy import Connection

from glyphd.store.migrations.rules import PREFIX


def is_parked(connection: Connection, name: str) -> bool:
    """Tell whether something is parked under a name."""
    return connection.exec_driver_sql(f"SELECT to_regclass('{PREFIX}{name}')").scalar() is not None


def park(connection: Connection, name: str, query: str) -> str:
    """Keep the result of a query under a name and return the table it is in; replaces what was there."""
    forget(connection, name)
    connection.exec_driver_sql(f"CREATE TABLE {PREFIX}{name} AS {query}")
    return PREFIX + name


def park_what_there_is(connection: Connection, name: str, query: str) -> None:
    """Keep the result of a query under a name if it has rows."""
    if not connection.exec_driver_sql(f"SELECT count(*) FROM {park(connection, name, query)}").scalar():
        forget(connection, name)


def forget(connection: Connection, name: str) -> None:
    """Drop what is parked under a name."""
    connection.exec_driver_sql(f"DROP TABLE IF EXISTS {PREFIX}{name}")


def park_table(connection: Connection, table: str) -> None:
    """Take a table out of the schema and keep its rows, and which ids it has given out."""
    park(connection, table, f"SELECT * FROM {table}")
    if "id" in column_names(connection, table):
        park(connection, f"{table}_sequence", f"SELECT {next_id(connection, table)} AS next")
    connection.exec_driver_sql(f"DROP TABLE {table}")


def return_rows(connection: Connection, table: str, rows: str = "") -> None:
    """Put the parked rows of a table back and forget them; ``rows`` is SQL after `FROM … p` that chooses them."""
    if not is_parked(connection, table):
        return
    here = set(column_names(connection, table))
    names = [name for name in column_names(connection, PREFIX + table) if name in here]
    connection.exec_driver_sql(
        f"INSERT INTO {table} ({', '.join(names)}) SELECT {', '.join(f'p.{name}' for name in names)}"
        f" FROM {PREFIX}{table} p {rows}"
    )
    forget(connection, table)
    if is_parked(connection, f"{table}_sequence"):
        following = connection.exec_driver_sql(f"SELECT next FROM {PREFIX}{table}_sequence").scalar_one()
        forget(connection, f"{table}_sequence")
        keep_sequence(connection, table, int(following))


def column_names(connection: Connection, table: str) -> list[str]:
    """Return the columns of a table in order."""
    return list(
        connection.exec_driver_sql(
            f"SELECT attname FROM pg_attribute WHERE attrelid = '{table}'::regclass AND attnum > 0"
            " AND NOT attisdropped ORDER BY attnum"
        ).scalars()
    )


def next_id(connection: Connection, table: str) -> int:
    """Return an id that a table has not given out, and that no row has which brought its own."""
    return max(_following(connection, table))


def keep_sequence(connection: Connection, table: str, at_least: int = 1) -> None:
    """See to it that no id below this one, and none that a row has, is given out: undone with the transaction."""
    given, free = _following(connection, table)
    if max(free, at_least) > given:
        connection.exec_driver_sql(f"ALTER TABLE {table} ALTER COLUMN id RESTART WITH {max(free, at_least)}")


def _following(connection: Connection, table: str) -> tuple[int, int]:
    """Return the id that a table would give out next, and the lowest that is above those of all rows."""
    sequence = connection.exec_driver_sql(f"SELECT pg_get_serial_sequence('{table}', 'id')").scalar_one()
    query = (
        "SELECT last_value + CASE WHEN is_called THEN 1 ELSE 0 END,"
        f" COALESCE((SELECT max(id) FROM {table}), 0) + 1 FROM {sequence}"
    )
    given, free = connection.exec_driver_sql(query).one()
    return int(given), int(free)


@contextmanager
def untouched(connection: Connection, tables: Iterable[str]) -> Iterator[None]:
    """Switch triggers off, but not references: a backfill must not bump `updated_at`."""
    named = list(tables)
    for table in named:
        connection.exec_driver_sql(f"ALTER TABLE {table} DISABLE TRIGGER USER")
    yield
    for table in named:
        connection.exec_driver_sql(f"ALTER TABLE {table} ENABLE TRIGGER USER")


@contextmanager
def temporary(connection: Connection, name: str, query: str) -> Iterator[str]:
    """Yield a temporary table with the result of a query."""
    connection.exec_driver_sql(f"CREATE TEMP TABLE {name} ON COMMIT DROP AS {query}")
    connection.exec_driver_sql(f"ANALYZE {name}")
    yield name
    connection.exec_driver_sql(f"DROP TABLE {name}")
