"""Databases to migrate: fresh, in use, and as earlier tools left them in the field."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine

from glyphd.store import schema
from tests.engines import Databases

from .places import Place, PostgresPlace, SqlitePlace
from .shapes import SHAPES
from .usage import FOUND_ON_POSTGRESQL, IN_USE, IN_USE_ON_POSTGRESQL

Content = dict[str, Any]


@pytest.fixture
def make_engine(tmp_path: Path) -> Iterator[Callable[[str], Engine]]:
    """Return a function that opens the database of a name in a folder of its own; all are closed at the end."""
    engines: dict[str, Engine] = {}

    def make(name: str = "glyphd") -> Engine:
        if name not in engines:
            url = f"sqlite:///{tmp_path / name}.sqlite"
            engines[name] = create_engine(url, connect_args={"isolation_level": None})
        return engines[name]

    yield make
    for engine in engines.values():
        engine.dispose()


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., list[tuple[Any, ...]]]:
    """Return a function that runs SQL on the database of a name as an old tool does, and returns the last result."""

    def execute(script: str, name: str = "glyphd") -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(tmp_path / f"{name}.sqlite", isolation_level=None)) as connection:
            connection.text_factory = lambda raw: raw.decode(errors="surrogateescape")
            if ";" in script:
                connection.executescript(script)
                return []
            return connection.execute(script).fetchall()

    return execute


@pytest.fixture
def violations(run: Callable[..., list[tuple[Any, ...]]]) -> Callable[[], list[tuple[Any, ...]]]:
    """Return a function that lists rows that refer to nothing, and tables whose references cannot work."""

    def check() -> list[tuple[Any, ...]]:
        found: list[tuple[Any, ...]] = []
        for (table,) in run("SELECT name FROM sqlite_master WHERE type = 'table' AND sql LIKE '%REFERENCES%'"):
            try:
                found += {row[:3] for row in run(f'PRAGMA foreign_key_check("{table}")')}
            except sqlite3.OperationalError as mismatch:
                found.append((table, str(mismatch)))
        return sorted(found, key=repr)

    return check


@pytest.fixture
def content(run: Callable[..., list[tuple[Any, ...]]]) -> Callable[..., Content]:
    """Return a function that reads a whole database: the text of its schema, every value and its storage class."""

    def read(name: str = "glyphd") -> Content:
        assert run("PRAGMA integrity_check", name) == [("ok",)]
        schema = run("SELECT type, name, tbl_name, sql FROM sqlite_master", name)
        schema = [row for row in schema if not row[2].startswith("_glyphd_") and row[2] != "alembic_version"]
        everything: Content = {"schema": sorted(schema, key=repr)}
        for table in sorted(row[1] for row in schema if row[0] == "table"):
            columns = [row[1] for row in run(f'PRAGMA table_xinfo("{table}")', name)]
            values = ", ".join(f'"{column}", typeof("{column}")' for column in columns)
            everything[table] = sorted(run(f'SELECT {values} FROM "{table}"', name), key=repr)
        return everything

    return read


@pytest.fixture
def in_use(make_engine: Callable[..., Engine], run: Callable[..., Any]) -> Engine:
    """Return a database from the field, in use since: imports in every state, with all that hangs on them."""
    run(SHAPES["as documented"])
    schema.upgrade(make_engine())
    run(IN_USE)
    return make_engine()


@pytest.fixture
def make_place(databases: Databases, tmp_path: Path) -> Iterator[Callable[..., Place]]:
    """Return a function that makes an empty database, or a copy of one nobody is connected to, on the test's engine."""
    made: list[Place] = []

    def make(name: str = "place", *, like: str | None = None) -> Place:
        folder = tmp_path / name
        made.append(place_at(databases.clone(like, folder) if like else databases.empty(folder)))
        return made[-1]

    yield make
    for place in made:
        place.engine.dispose()


def place_at(url: str) -> Place:
    """Open a database."""
    return SqlitePlace(url) if url.startswith("sqlite") else PostgresPlace(url)


@pytest.fixture
def place(make_place: Callable[..., Place]) -> Place:
    """An empty database."""
    return make_place()


@pytest.fixture(scope="session")
def used_url(_all_databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The database that `used` copies: from the field, or as one was in its early days; and in use since."""
    place = place_at(_all_databases.empty(tmp_path_factory.mktemp("used")))
    found, since = SHAPES["as documented"], IN_USE
    if isinstance(place, PostgresPlace):
        schema.upgrade(place.engine, "0001")
        found, since = FOUND_ON_POSTGRESQL, IN_USE_ON_POSTGRESQL
    place.run(found)
    schema.upgrade(place.engine)
    place.run(since)
    place.engine.dispose()
    return place.url


@pytest.fixture
def used(used_url: str, make_place: Callable[..., Place]) -> Place:
    """A database in use: imports in every state, with all that hangs on them."""
    return make_place("used", like=used_url)
