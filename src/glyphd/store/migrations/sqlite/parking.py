"""What the older schema has no place for waits in tables of its own, `_glyphd_parked_*`, and returns on the way up.

Parked tables have no keys and refer to nothing, so that a tool of the older schema can change or delete whatever it
likes. What it deleted does not return: side data of an import that is gone is dropped.
"""

from collections.abc import Iterable

from sqlalchemy import Connection

from glyphd.store.migrations.rules import PREFIX
from glyphd.store.migrations.sqlite.ddl import quoted
from glyphd.store.migrations.sqlite.rebuilding import column_names, keep_sequence, sequence, table_names

_TEXTS = f"{PREFIX}schema"


def is_parked(connection: Connection, name: str) -> bool:
    """Tell whether something is parked under a name."""
    return PREFIX + name in table_names(connection)


def park(connection: Connection, name: str, query: str) -> str:
    """Keep the result of a query under a name and return the table it is in; replaces what was there."""
    forget(connection, name)
    connection.exec_driver_sql(f"CREATE TABLE {PREFIX}{name} AS {query}")
    return PREFIX + name


def forget(connection: Connection, name: str) -> None:
    """Drop what is parked under a name."""
    connection.exec_driver_sql(f"DROP TABLE IF EXISTS {PREFIX}{name}")


def park_table(connection: Connection, table: str) -> None:
    """Take a table out of the schema and keep its rows."""
    seq = sequence(connection, table)
    park(connection, table, f"SELECT * FROM {quoted(table)}")
    if seq is not None:
        park(connection, f"{table}_sequence", f"SELECT {seq} AS seq")
    connection.exec_driver_sql(f"DROP TABLE {quoted(table)}")


def return_rows(connection: Connection, table: str, rows: str = "") -> None:
    """Put the parked rows of a table back and forget them; ``rows`` is SQL after `FROM … p` that chooses them."""
    if not is_parked(connection, table):
        return
    here = {name.lower() for name in column_names(connection, table, generated=False)}
    names = [name for name in column_names(connection, PREFIX + table) if name.lower() in here]
    connection.exec_driver_sql(
        f"INSERT INTO {quoted(table)} ({', '.join(map(quoted, names))})"
        f" SELECT {', '.join(f'p.{quoted(name)}' for name in names)} FROM {PREFIX}{table} p {rows}"
    )
    forget(connection, table)
    seq = None
    if is_parked(connection, f"{table}_sequence"):
        seq = connection.exec_driver_sql(f"SELECT seq FROM {PREFIX}{table}_sequence").scalar_one()
        forget(connection, f"{table}_sequence")
    keep_sequence(connection, table, seq)


def park_texts(connection: Connection, revision: str, texts: Iterable[tuple[str, str]]) -> None:
    """Keep (name, CREATE …) pairs as they were before a revision."""
    connection.exec_driver_sql(f"CREATE TABLE IF NOT EXISTS {_TEXTS} (revision TEXT, name TEXT, sql TEXT)")
    for name, sql in texts:
        connection.exec_driver_sql(f"INSERT INTO {_TEXTS} VALUES (?, ?, ?)", (revision, name, sql))


def take_texts(connection: Connection, revision: str) -> dict[str, str]:
    """Return and forget what :func:`park_texts` kept of a revision."""
    if not is_parked(connection, "schema"):
        return {}
    query = f"SELECT name, sql FROM {_TEXTS} WHERE revision = ? ORDER BY rowid"
    texts: dict[str, str] = dict(connection.exec_driver_sql(query, (revision,)).all())
    connection.exec_driver_sql(f"DELETE FROM {_TEXTS} WHERE revision = ?", (revision,))
    if not connection.exec_driver_sql(f"SELECT count(*) FROM {_TEXTS}").scalar():
        connection.exec_driver_sql(f"DROP TABLE {_TEXTS}")
    return texts
