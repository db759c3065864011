"""Revision 0002 on PostgreSQL: every import on record becomes a published batch of its source; rows without an import
get the synthetic one, which the older schema never sees.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.schema import CreateColumn

from glyphd.store.migrations.postgresql import ledger_return
from glyphd.store.migrations.postgresql.parking import keep_sequence, park, temporary, untouched
from glyphd.store.migrations.rules import ROW_TABLES, SYNTHETIC, VISIBLE

NEW = "_glyphd_new"


def extend(connection: Connection, columns: "Iterable[sa.Column[Any]]") -> None:
    """Give the ledger its new columns and fill them for what was found."""
    added = list(columns)
    additions = ", ".join(f"ADD COLUMN {declared(connection, column)}" for column in added)
    connection.exec_driver_sql(f"ALTER TABLE import_batches {additions}")
    with (
        untouched(connection, ["import_batches"]),
        _imports_spoken_of(connection) as spoken_of,
        temporary(connection, NEW, "SELECT import_id, true AS fresh FROM import_batches"),
    ):
        ledger_return.return_imports(connection, [column.name for column in added], spoken_of)
        _add_synthetic(connection, spoken_of)
        _fill(connection, spoken_of)
        _number(connection)
    keep_sequence(connection, "import_batches")


def reduce(connection: Connection, columns: "Iterable[sa.Column[Any]]") -> None:
    """Park the whole ledger; keep, in the old shape, the imports that an old reader would count."""
    keep_sequence(connection, "import_batches")
    with untouched(connection, ["import_batches"]), _imports_spoken_of(connection) as spoken_of:
        kept = park(
            connection,
            "import_batches",
            f"SELECT *, _visible AND import_id <> '{SYNTHETIC}' AS _kept FROM (SELECT l.*, l.import_id IN ({VISIBLE})"
            f" AS _visible, COALESCE(s.scored, 0) AS _scored FROM import_batches l LEFT JOIN {spoken_of} s"
            " ON s.import_id = l.import_id) parked",
        )
        connection.exec_driver_sql(
            f"DELETE FROM import_batches WHERE import_id NOT IN (SELECT import_id FROM {kept} WHERE _kept)"
        )
    gone = ", ".join(f"DROP COLUMN {column.name}" for column in columns)
    connection.exec_driver_sql(f"ALTER TABLE import_batches {gone}")


def declared(connection: Connection, column: "sa.Column[Any]") -> str:
    """Return how a column of the ledger is declared."""
    copy = sa.Column(column.name, column.type, nullable=column.nullable, server_default=column.server_default)
    sa.Table("import_batches", sa.MetaData(), copy)
    return str(CreateColumn(copy).compile(dialect=connection.dialect))


@contextmanager
def _imports_spoken_of(connection: Connection) -> Iterator[str]:
    """Yield a temporary table (import_id, scored, oldest): each import that rows or models name, its scored rows, and
    the oldest `created_at` of its rows.
    """
    parts = [
        f"SELECT COALESCE(import_id, '{SYNTHETIC}') AS import_id, {int(table == ROW_TABLES[0])} AS scored, created_at"
        f" FROM {table}"
        for table in ROW_TABLES
    ]
    parts.append("SELECT import_id, 0, created_at FROM models WHERE import_id IS NOT NULL")
    query = (
        "SELECT import_id, sum(scored)::integer AS scored, min(created_at) AS oldest"
        f" FROM ({' UNION ALL '.join(parts)}) named GROUP BY 1"
    )
    with temporary(connection, "_glyphd_spoken_of", query) as name:
        yield name


def _add_synthetic(connection: Connection, spoken_of: str) -> None:
    """Put the import of rows that have none on record, as the oldest."""
    missing = (
        f"FROM {spoken_of} WHERE import_id = '{SYNTHETIC}' AND import_id NOT IN (SELECT import_id FROM import_batches)"
    )
    connection.exec_driver_sql(f"INSERT INTO {NEW} SELECT import_id, true {missing}")
    connection.exec_driver_sql(
        "INSERT INTO import_batches (id, import_id, imported_at, source, record_count, description)"
        " SELECT (SELECT least(min(id), 1) - 1 FROM import_batches), import_id, oldest, 'legacy', scored,"
        f" 'Rows that were found without an import' {missing}"
    )


def _fill(connection: Connection, spoken_of: str) -> None:
    fresh = f"import_id IN (SELECT import_id FROM {NEW} WHERE fresh)"
    connection.exec_driver_sql(
        f"UPDATE import_batches SET received = s.scored, count = s.scored FROM {spoken_of} s"
        f" WHERE s.import_id = import_batches.import_id AND import_batches.{fresh}"
    )
    connection.exec_driver_sql(
        "UPDATE import_batches SET observed_at = imported_at, completed_at = imported_at, published_at = imported_at"
        f" WHERE {fresh}"
    )


def _number(connection: Connection) -> None:
    """Append what is new to the version chain of its source, in the order of the ledger."""
    source, new = "COALESCE(b.source, 'default')", f"b.import_id IN (SELECT import_id FROM {NEW})"
    connection.exec_driver_sql(
        "UPDATE import_batches SET source_version = n.version FROM (SELECT b.id, row_number() OVER"
        f" (PARTITION BY {source} ORDER BY b.id) + COALESCE((SELECT max(e.source_version) FROM import_batches e"
        f" WHERE COALESCE(e.source, 'default') = {source}), 0) AS version FROM import_batches b"
        f" WHERE {new}) n WHERE n.id = import_batches.id"
    )
    connection.exec_driver_sql(
        "UPDATE import_batches b SET previous_import_id = p.previous FROM (SELECT b.id, lag(b.import_id) OVER"
        f" (PARTITION BY {source} ORDER BY b.id) AS previous FROM import_batches b"
        f" WHERE b.kind = 'batch' AND b.status = 'published') p WHERE p.id = b.id AND {new}"
    )
