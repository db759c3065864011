"""Revision 0002, up: every import that is on record, or that rows speak of, becomes a published batch of its source.

On a database that was at this revision before, what was parked returns: see `ledger_return.py`.
"""

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from glyphd.store.migrations import baseline
from glyphd.store.migrations.rules import PREFIX, SYNTHETIC
from glyphd.store.migrations.sqlite import ledger_return, references
from glyphd.store.migrations.sqlite.ddl import TableText, column_text
from glyphd.store.migrations.sqlite.imports_found import imports_spoken_of, named
from glyphd.store.migrations.sqlite.parking import forget, is_parked, park, park_texts
from glyphd.store.migrations.sqlite.rebuilding import OLD, column_names, create_text, rebuild, triggers_set_aside
from glyphd.store.types import parse_timestamp, timestamp_text

FOUND = "import_batches_found"
IMPLIED = "implied_imports"
_LEDGER = "import_batches"
_EPOCH = "1970-01-01 00:00:00.000000"


def extend(connection: Connection, columns: "Iterable[sa.Column[Any]]") -> None:
    """Give the ledger its new columns and fill them for what was found."""
    driver: Any = connection.connection.driver_connection
    driver.create_function("glyphd_moment", -1, _moment, deterministic=True)
    references.park_violations(driver)
    with triggers_set_aside(connection), imports_spoken_of(connection) as spoken_of:
        added = list(columns)
        _add_columns(connection, added, spoken_of)
        connection.exec_driver_sql("CREATE TEMP TABLE _glyphd_new AS SELECT import_id, 1 AS fresh FROM import_batches")
        ledger_return.return_imports(connection, [column.name for column in added], spoken_of)
        _add_implied(connection, spoken_of)
        _fill(connection, spoken_of)
        _number(connection)
        connection.exec_driver_sql("DROP TABLE temp._glyphd_new")


def _moment(*values: bytes | None) -> str:
    """Return the first of some values that is a moment, as text in UTC; the epoch if none is, so that it is oldest."""
    for value in values:
        text = (value or b"").decode(errors="replace").strip()
        moment = datetime.fromtimestamp(int(text), UTC) if re.fullmatch(r"\d{10}", text) else parse_timestamp(text)
        if moment is not None:
            return timestamp_text(moment)
    return _EPOCH


def _add_columns(connection: Connection, columns: "list[sa.Column[Any]]", spoken_of: str) -> None:
    sql = create_text(connection, _LEDGER)
    park_texts(connection, "0002", [(_LEDGER, sql)])
    here = {name.lower() for name in column_names(connection, _LEDGER)}
    clashing = [column.name for column in columns if column.name in here]
    _park_what_is_replaced(connection, clashing)
    text = TableText.parse(sql).without("UNIQUE", ["import_id"]).tolerant(baseline.import_batches.columns.keys())
    declared = {column.name: column_text(column) for column in columns}
    text = text.with_columns({"import_id": "import_id TEXT NOT NULL UNIQUE"} | declared)
    values = dict.fromkeys(clashing, "") | {
        "import_id": _unique_id(OLD),
        "imported_at": f"COALESCE(o.imported_at, (SELECT oldest FROM {spoken_of} s WHERE s.import_id = o.import_id),"
        f" '{_EPOCH}')",
    }
    rebuild(connection, _LEDGER, str(text), values)


def _unique_id(table: str) -> str:
    """Return SQL for the id of an import on record; one that has none, or another's, gets one made of its row's id."""
    taken = f"EXISTS (SELECT 1 FROM {table} e WHERE e.import_id = o.import_id AND e.id < o.id)"
    made = f"'{SYNTHETIC[:24]}' || printf('%012x', o.id)"
    return f"CASE WHEN {named('o.import_id')} IS NULL OR {taken} THEN {made} ELSE CAST(o.import_id AS TEXT) END"


def _park_what_is_replaced(connection: Connection, clashing: list[str]) -> None:
    """Keep values that cannot stay: ids that are none or not unique, and columns that have one of our names."""
    query = (
        f"SELECT * FROM (SELECT {_unique_id(_LEDGER)} AS _now, o.* FROM {_LEDGER} o)"
        " WHERE typeof(import_id) <> 'text' OR import_id <> _now OR imported_at IS NULL"
    )
    table = park(connection, FOUND, query + (" OR 1" if clashing else ""))
    if not connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar():
        forget(connection, FOUND)


def _add_implied(connection: Connection, spoken_of: str) -> None:
    """Put imports on record that only rows speak of, as the oldest: which came first can no longer be told."""
    if not is_parked(connection, IMPLIED):
        park(connection, IMPLIED, "SELECT import_id FROM import_batches WHERE 0")
    least = "(SELECT MIN(COALESCE(MIN(id), 1), 1) FROM import_batches)"
    missing = f"FROM {spoken_of} WHERE import_id NOT IN (SELECT import_id FROM import_batches)"
    connection.exec_driver_sql(f"INSERT INTO {PREFIX}{IMPLIED} SELECT import_id {missing}")
    connection.exec_driver_sql(f"INSERT INTO temp._glyphd_new SELECT import_id, 1 {missing}")
    connection.exec_driver_sql(
        "INSERT INTO import_batches (id, import_id, imported_at, source, record_count, description)"
        f" SELECT {least} - ROW_NUMBER() OVER (ORDER BY import_id = '{SYNTHETIC}', oldest DESC, import_id), import_id,"
        f" COALESCE(oldest, '{_EPOCH}'), 'legacy', scored, CASE import_id WHEN '{SYNTHETIC}'"
        f" THEN 'Rows that were found without an import' ELSE 'Rows whose import was not on record' END {missing}"
    )
    connection.exec_driver_sql(
        f"UPDATE import_batches SET id = {least} - 1 WHERE import_id = '{SYNTHETIC}'"
        " AND id > (SELECT MIN(id) FROM import_batches)"
    )


def _fill(connection: Connection, spoken_of: str) -> None:
    connection.exec_driver_sql(
        "UPDATE import_batches SET received = s.scored, count = s.scored"
        f" FROM {spoken_of} s WHERE s.import_id = import_batches.import_id"
        " AND s.import_id IN (SELECT import_id FROM temp._glyphd_new WHERE fresh)"
    )
    moment = (
        "glyphd_moment(CAST(imported_at AS BLOB),"
        f" (SELECT CAST(oldest AS BLOB) FROM {spoken_of} s WHERE s.import_id = import_batches.import_id))"
    )
    connection.exec_driver_sql(
        f"UPDATE import_batches SET observed_at = {moment}, completed_at = {moment}, published_at = {moment}"
        " WHERE import_id IN (SELECT import_id FROM temp._glyphd_new WHERE fresh)"
    )


def _number(connection: Connection) -> None:
    """Append what is new to the version chain of its source, in the order of the ledger."""
    source = "COALESCE(source, 'default')"
    connection.exec_driver_sql(
        "UPDATE import_batches SET source_version = n.version FROM (SELECT id, ROW_NUMBER() OVER"
        f" (PARTITION BY {source} ORDER BY id) + COALESCE((SELECT MAX(e.source_version) FROM import_batches e"
        f" WHERE COALESCE(e.source, 'default') = COALESCE(b.source, 'default')), 0) AS version FROM import_batches b"
        " WHERE import_id IN (SELECT import_id FROM temp._glyphd_new)) n WHERE n.id = import_batches.id"
    )
    connection.exec_driver_sql(
        "UPDATE import_batches SET previous_import_id = p.previous FROM (SELECT id, LAG(import_id) OVER"
        f" (PARTITION BY {source} ORDER BY id) AS previous FROM import_batches"
        " WHERE kind = 'batch' AND status = 'published') p"
        " WHERE p.id = import_batches.id AND import_id IN (SELECT import_id FROM temp._glyphd_new)"
    )
