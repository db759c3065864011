"""Rows that refer to nothing: those found in a database from the field do not block a migration, new ones do."""

import sqlite3

from glyphd.errors import MigrationFailed
from glyphd.store.migrations.sqlite.ddl import quoted

PARKED = "_glyphd_parked_violations"
"""What referred to nothing before the first repair. Going down brings it back, which is then nothing new."""


def remember_violations(driver: sqlite3.Connection) -> None:
    """Write down, on disk, which rows refer to nothing before anything is changed."""
    _collect(driver, "_glyphd_before")


def park_violations(driver: sqlite3.Connection) -> None:
    """Keep what :func:`remember_violations` found, for the way down."""
    driver.execute(f"DROP TABLE IF EXISTS main.{PARKED}")
    if driver.execute("SELECT 1 FROM temp._glyphd_before LIMIT 1").fetchone():
        driver.execute(f"CREATE TABLE main.{PARKED} AS SELECT * FROM temp._glyphd_before")


def refuse_new_violations(driver: sqlite3.Connection) -> None:
    """Raise MigrationFailed if there are rows that refer to nothing now and did not before."""
    _collect(driver, "_glyphd_after")
    known = "SELECT tbl, id, parent FROM temp._glyphd_before"
    if driver.execute("SELECT 1 FROM main.sqlite_master WHERE name = ?", (PARKED,)).fetchone():
        known += f" UNION ALL SELECT tbl, id, parent FROM main.{PARKED}"
    query = f"SELECT tbl, parent, count(*) FROM (SELECT * FROM temp._glyphd_after EXCEPT SELECT * FROM ({known}))"
    new = driver.execute(f"{query} GROUP BY 1, 2 ORDER BY 1, 2").fetchall()
    for name in ("_glyphd_before", "_glyphd_after"):
        driver.execute(f"DROP TABLE temp.{name}")
    if new:
        found = ", ".join(f"{count} of {table} to {parent}" for table, parent, count in new)
        raise MigrationFailed(f"The migration would leave references to rows that do not exist ({found}); undone.")


def _collect(driver: sqlite3.Connection, into: str) -> None:
    driver.execute(f"DROP TABLE IF EXISTS temp.{into}")
    driver.execute(f"CREATE TEMP TABLE {into} (tbl TEXT, id INTEGER, parent TEXT)")
    tables = driver.execute("SELECT name FROM main.sqlite_master WHERE type = 'table' AND sql LIKE '%REFERENCES%'")
    for (table,) in tables.fetchall():
        if not table.startswith("_glyphd_"):
            _collect_from(driver, table, into)


def _collect_from(driver: sqlite3.Connection, table: str, into: str) -> None:
    check = f'SELECT DISTINCT "table", rowid, parent FROM pragma_foreign_key_check({quoted(table)})'
    check = check.replace(quoted(table), "'" + table.replace("'", "''") + "'")
    try:
        driver.execute(f"INSERT INTO temp.{into} {check}")
    except sqlite3.OperationalError as mismatch:  # a reference to columns that are not unique: found so, left so
        driver.execute(f"INSERT INTO temp.{into} VALUES (?, NULL, ?)", (table, str(mismatch)))
