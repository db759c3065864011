"""A database to migrate, on either engine: what is asked of it in plain SQL, and everything that it holds."""

import sqlite3
from abc import ABC, abstractmethod
from contextlib import closing
from typing import Any

import psycopg
from sqlalchemy import Engine, create_engine, make_url

Rows = list[tuple[Any, ...]]
Content = dict[str, Any]


class Place(ABC):
    """One database."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.engine = self.connect()

    @abstractmethod
    def connect(self) -> Engine:
        """Make another pool of connections, as a process of its own has one."""

    @abstractmethod
    def run(self, script: str) -> Rows:
        """Run one statement and return its rows, or several, each ended by a semicolon."""

    @abstractmethod
    def content(self, *, parked: bool = False) -> Content:
        """Return its schema and all its rows; with what is parked, and where Alembic stands, if asked to."""


class SqlitePlace(Place):
    """A file."""

    def connect(self) -> Engine:
        return create_engine(self.url, connect_args={"isolation_level": None})

    def run(self, script: str) -> Rows:
        with closing(sqlite3.connect(self.url.removeprefix("sqlite:///"), isolation_level=None)) as connection:
            connection.execute("PRAGMA foreign_keys = ON")
            connection.text_factory = lambda raw: raw.decode(errors="surrogateescape")
            if ";" in script:
                connection.executescript(script)
                return []
            return connection.execute(script).fetchall()

    def content(self, *, parked: bool = False) -> Content:
        schema = self.run("SELECT type, name, tbl_name, sql FROM sqlite_master")
        schema = [row for row in schema if parked or _is_ours(row[2])]
        found: Content = {"schema": sorted(schema, key=repr)}
        for table in sorted(row[1] for row in schema if row[0] == "table"):
            found[table] = sorted(self.run(f'SELECT * FROM "{table}"'), key=repr)
        return found


class PostgresPlace(Place):
    """A database of a server."""

    def connect(self) -> Engine:
        return create_engine(
            make_url(self.url).set(drivername="postgresql+psycopg"),
            isolation_level="AUTOCOMMIT",
            connect_args={"prepare_threshold": None},
        )

    def run(self, script: str) -> Rows:
        with psycopg.connect(self.url, autocommit=True) as connection:
            cursor = connection.execute(script.encode())
            return cursor.fetchall() if cursor.description else []

    def content(self, *, parked: bool = False) -> Content:
        found: Content = {}
        for what, query in _CATALOGUE.items():
            rows = self.run(query)
            found[what] = [row for row in rows if parked or _is_ours(row[0])]
        for (table,) in found["tables"]:
            found[table] = self.run(f"SELECT t::text FROM {table} t ORDER BY 1")
        for table, column in found["identities"]:
            sequence = self.run(f"SELECT pg_get_serial_sequence('{table}', '{column}')")[0][0]
            found[sequence] = self.run(f"SELECT last_value + is_called::int FROM {sequence}")
        return found


def _is_ours(table: str) -> bool:
    return not table.startswith("_glyphd_") and table != "alembic_version"


_HERE = "relnamespace = 'public'::regnamespace"
_CATALOGUE = {
    "tables": f"SELECT relname FROM pg_class WHERE relkind = 'r' AND {_HERE} ORDER BY 1",
    "columns": "SELECT relname, row_number() OVER (PARTITION BY attrelid ORDER BY attnum), attname,"
    " format_type(atttypid, atttypmod), attnotnull, attidentity, collname, pg_get_expr(adbin, adrelid)"
    " FROM pg_attribute JOIN pg_class c ON c.oid = attrelid LEFT JOIN pg_collation o ON o.oid = attcollation"
    " LEFT JOIN pg_attrdef d ON adrelid = attrelid AND adnum = attnum"
    f" WHERE relkind IN ('r', 'v') AND {_HERE} AND attnum > 0 AND NOT attisdropped ORDER BY 1, 2",
    "identities": "SELECT relname, attname FROM pg_attribute JOIN pg_class c ON c.oid = attrelid"
    f" WHERE {_HERE} AND attidentity <> '' AND NOT attisdropped ORDER BY 1",
    "constraints": "SELECT relname, conname, pg_get_constraintdef(k.oid) FROM pg_constraint k"
    f" JOIN pg_class c ON c.oid = conrelid WHERE {_HERE} ORDER BY 1, 2",
    "indexes": "SELECT tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1, 2",
    "triggers": "SELECT relname, tgname, tgenabled, pg_get_triggerdef(t.oid) FROM pg_trigger t"
    f" JOIN pg_class c ON c.oid = tgrelid WHERE {_HERE} AND NOT tgisinternal ORDER BY 1, 2",
    "views": "SELECT viewname, definition FROM pg_views WHERE schemaname = 'public' ORDER BY 1",
    "functions": "SELECT proname, pg_get_functiondef(oid) FROM pg_proc"
    " WHERE pronamespace = 'public'::regnamespace ORDER BY 1",
}
