"""What SQLite's ALTER TABLE cannot do: rebuild a table under a new CREATE TABLE, with every value as it was."""

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager

from sqlalchemy import Connection

from glyphd.store.migrations.sqlite.ddl import TableText, quoted

OLD = "_glyphd_old_table"


def table_names(connection: Connection) -> set[str]:
    """Return the names of all tables."""
    return set(connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'table'").scalars())


def create_text(connection: Connection, table: str) -> str:
    """Return the CREATE TABLE of a table, verbatim."""
    query = "SELECT sql FROM sqlite_master WHERE type = 'table' AND lower(name) = lower(?)"
    return str(connection.exec_driver_sql(query, (table,)).scalar_one())


def column_names(connection: Connection, table: str, *, generated: bool = True) -> list[str]:
    """Return the columns of a table in order; without the generated ones those that can be written."""
    rows = connection.exec_driver_sql(f"PRAGMA table_xinfo({quoted(table)})")
    return [row[1] for row in rows if generated or not row[6]]


def has_columns(connection: Connection, table: str, *names: str) -> bool:
    """Tell whether a table has all these columns."""
    return {name.lower() for name in names} <= {name.lower() for name in column_names(connection, table)}


def refers(connection: Connection, table: str, column: str, parent: str) -> bool:
    """Tell whether a column has a foreign key to a table."""
    keys = connection.exec_driver_sql(f"PRAGMA foreign_key_list({quoted(table)})")
    return (column, parent) in {(row[3].lower(), row[2].lower()) for row in keys}


def index_texts(connection: Connection, table: str) -> dict[str, str]:
    """Return the CREATE INDEX of every index of a table that has one, by name."""
    query = "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND tbl_name = ? COLLATE NOCASE AND sql NOT NULL"
    return dict(connection.exec_driver_sql(query + " ORDER BY rowid", (table,)).all())


@contextmanager
def triggers_set_aside(connection: Connection) -> Iterator[None]:
    """Drop every trigger, and create it again, verbatim, at the end: a backfill must not bump `updated_at`."""
    with _set_aside(connection, "trigger"):
        yield


@contextmanager
def views_set_aside(connection: Connection) -> Iterator[None]:
    """Drop every view, and create it again, verbatim, at the end: one that does not work stops a DROP COLUMN."""
    with _set_aside(connection, "view"):
        yield


@contextmanager
def _set_aside(connection: Connection, kind: str) -> Iterator[None]:
    query = "SELECT name, sql FROM sqlite_master WHERE type = ? ORDER BY rowid"
    found = connection.exec_driver_sql(query, (kind,)).all()
    for name, _ in found:
        connection.exec_driver_sql(f"DROP {kind.upper()} {quoted(name)}")
    yield
    for _, sql in found:
        connection.exec_driver_sql(sql)


def rebuild(
    connection: Connection,
    table: str,
    sql: str,
    values: Mapping[str, str] | None = None,
    *,
    rows: str = "",
    going: Collection[str] | None = None,
) -> None:
    """Put a table under a new CREATE TABLE, run verbatim; its indexes come along, its triggers must be set aside.

    ``values`` are SQL expressions by column over the old row ``o``, for columns that are not simply copied; ``rows`` is
    SQL after `FROM … o`: joins and WHERE. A new column without an expression takes its default. ``going`` is for the
    way down: the columns that may go. Others that the new text does not have are kept, and NULL never stops a row.
    """
    indexes = index_texts(connection, table)
    expressions = {name.lower(): f"o.{quoted(name)}" for name in column_names(connection, table)}
    expressions |= {name.lower(): expression for name, expression in (values or {}).items()}
    connection.exec_driver_sql(f"ALTER TABLE {quoted(table)} RENAME TO {OLD}")
    connection.exec_driver_sql(sql)
    if going is not None:
        _keep_unknown_columns(connection, table, going)
        _never_null(connection, table, expressions)
    names = [name for name in column_names(connection, table, generated=False) if expressions.get(name.lower())]
    connection.exec_driver_sql(
        f"INSERT INTO {quoted(table)} ({', '.join(map(quoted, names))})"
        f" SELECT {', '.join(expressions[name.lower()] for name in names)} FROM {OLD} o {rows} ORDER BY o.id"
    )
    given_out = sequence(connection, OLD)
    connection.exec_driver_sql(f"DROP TABLE {OLD}")
    for index in indexes.values():
        connection.exec_driver_sql(index)
    if TableText.parse(sql).is_autoincrement:
        keep_sequence(connection, table, given_out)


def _keep_unknown_columns(connection: Connection, table: str, going: Collection[str]) -> None:
    here = {name.lower() for name in (*column_names(connection, table), *going)}
    for row in connection.exec_driver_sql(f"PRAGMA table_info({OLD})").all():
        if row[1].lower() not in here:
            connection.exec_driver_sql(f"ALTER TABLE {quoted(table)} ADD COLUMN {quoted(row[1])} {row[2]}")


def _never_null(connection: Connection, table: str, expressions: dict[str, str]) -> None:
    """Give a required column its default, else '' or 0, where the newer schema had no value for it."""
    for row in connection.exec_driver_sql(f"PRAGMA table_info({quoted(table)})"):
        name, declared, required, default = row[1].lower(), row[2].upper(), row[3], row[4]
        if required and name != "id":
            empty = "0" if any(kind in declared for kind in ("INT", "REAL", "FLOA", "DOUB", "NUM", "BOOL")) else "''"
            expressions[name] = f"COALESCE({expressions.get(name) or 'NULL'}, {default or empty})"


def keep_sequence(connection: Connection, table: str, at_least: int | None) -> None:
    """See to it that no id up to this one is given out again, also when the row that had it is gone."""
    now, its_name = sequence(connection, table), "name = ? COLLATE NOCASE"
    if now is None and at_least is not None:
        name = f"SELECT name, ? FROM sqlite_master WHERE type = 'table' AND {its_name}"
        connection.exec_driver_sql(f"INSERT INTO sqlite_sequence (name, seq) {name}", (at_least, table))
    elif now is not None and at_least is not None and now < at_least:
        connection.exec_driver_sql(f"UPDATE sqlite_sequence SET seq = ? WHERE {its_name}", (at_least, table))
    elif now is not None and now <= 0:  # only rows of ours, with ids below 1: as if none had ever been
        connection.exec_driver_sql(f"DELETE FROM sqlite_sequence WHERE {its_name}", (table,))


def sequence(connection: Connection, table: str) -> int | None:
    """Return the highest id an AUTOINCREMENT table has given out; None if it gave none."""
    if "sqlite_sequence" not in table_names(connection):
        return None
    query = "SELECT seq FROM sqlite_sequence WHERE name = ? COLLATE NOCASE"
    return connection.exec_driver_sql(query, (table,)).scalar()
