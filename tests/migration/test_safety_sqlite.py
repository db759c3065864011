"""What can go wrong with a file: tables that are something else, broken references, locks, pragmas."""

import sqlite3
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from glyphd.errors import MigrationFailed
from glyphd.store import schema
from glyphd.store.database import Database
from glyphd.store.migrations.sqlite import rows_down

from .shapes import SHAPES

EngineFactory = Callable[..., Engine]
Run = Callable[..., list[tuple[Any, ...]]]


def dump(path: Path) -> list[str]:
    """Return a database as SQL, parked tables and all."""
    with closing(sqlite3.connect(path)) as connection:
        connection.text_factory = lambda raw: raw.decode(errors="surrogateescape")
        return list(connection.iterdump())


def test_an_error_of_the_database_names_its_cause(make_engine: EngineFactory, run: Run) -> None:
    """A table of the name of one of ours is not touched, and the message says which."""
    run("CREATE TABLE artifacts (mine); INSERT INTO artifacts VALUES (1);")

    with pytest.raises(MigrationFailed, match=r"up to revision 0008 .*table artifacts already exists") as failure:
        schema.upgrade(make_engine())

    assert failure.value.__cause__ is not None
    assert run("SELECT * FROM artifacts") == [(1,)]


@pytest.mark.parametrize(
    ("table", "reason"),
    [
        ("scored_listings (id INTEGER PRIMARY KEY, price REAL)", "no column canonical_model"),
        ("models (model TEXT PRIMARY KEY)", "no column `id INTEGER PRIMARY KEY`"),
        ("models (id TEXT PRIMARY KEY, model TEXT)", "no column `id INTEGER PRIMARY KEY`"),
    ],
)
def test_a_table_that_cannot_be_adopted_is_refused(
    table: str, reason: str, make_engine: EngineFactory, run: Run, tmp_path: Path
) -> None:
    """What only has the name of one of the tables is no database of listings."""
    run(f"CREATE TABLE {table};")
    before = dump(tmp_path / "glyphd.sqlite")

    with pytest.raises(MigrationFailed, match=reason):
        schema.upgrade(make_engine())

    assert before == dump(tmp_path / "glyphd.sqlite")


def test_references_that_a_migration_would_break_stop_it(
    in_use: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A mistake in a revision that would leave rows without their parent is undone."""
    before = dump(tmp_path / "glyphd.sqlite")
    monkeypatch.setattr(
        rows_down.implied_models,
        "remove",
        lambda connection: connection.exec_driver_sql("DELETE FROM models WHERE model = 'NEW'"),
    )

    with pytest.raises(
        MigrationFailed, match=r"do not exist \(1 of listings to models, 4 of scored_listings to models"
    ):
        schema.downgrade(in_use, to="0001")

    assert before == dump(tmp_path / "glyphd.sqlite")


def test_a_writer_is_waited_for(make_engine: EngineFactory, run: Run, tmp_path: Path) -> None:
    """A migration that finds the database locked begins when the writer is done, with what it wrote (WAL)."""
    run("PRAGMA journal_mode = WAL;" + SHAPES["as documented"])
    writer = sqlite3.connect(tmp_path / "glyphd.sqlite", isolation_level=None, check_same_thread=False)
    with closing(writer), ThreadPoolExecutor(1) as pool:
        writer.execute("BEGIN IMMEDIATE")
        writer.execute("INSERT INTO models (model) VALUES ('late')")
        migration = pool.submit(schema.upgrade, make_engine())
        time.sleep(0.3)
        assert not migration.done()
        writer.execute("COMMIT")
        migration.result()

    assert run("SELECT count(*) FROM models WHERE model = 'late'") == [(1,)]
    assert schema.schema_status(make_engine()).current == schema.HEAD


def test_the_connection_is_given_back_as_it_was(tmp_path: Path) -> None:
    """On the engine the service uses, references are enforced after a migration as before it."""
    database = Database(f"sqlite:///{tmp_path}/glyphd.sqlite")
    names = (
        "foreign_keys",
        "legacy_alter_table",
        "ignore_check_constraints",
        "busy_timeout",
        "cache_size",
        "temp_store",
    )

    def settings() -> list[Any]:
        with database.reading() as connection:
            return [connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in names]

    before = settings()
    schema.upgrade(database.engine)
    schema.downgrade(database.engine, to="base")
    after = settings()
    database.dispose()

    assert before == after
