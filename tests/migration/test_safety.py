"""A migration happens as a whole or not at all, waits for its turn, and says clearly what is the matter."""

import sqlite3
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine

from glyphd.errors import InvalidParameter, MigrationFailed, SchemaOutOfDate
from glyphd.store import schema
from glyphd.store.database import Database
from glyphd.store.migrations.sqlite import derived, rows_down

from .shapes import SHAPES

EngineFactory = Callable[..., Engine]
Run = Callable[..., list[tuple[Any, ...]]]
Content = Callable[..., dict[str, Any]]
NUMBERS = [f"{number:04d}" for number in range(1, int(schema.HEAD) + 1)]


def dump(path: Path) -> list[str]:
    """Return a database as SQL, parked tables and all."""
    with closing(sqlite3.connect(path)) as connection:
        connection.text_factory = lambda raw: raw.decode(errors="surrogateescape")
        return list(connection.iterdump())


@pytest.mark.parametrize("number", NUMBERS)
def test_a_failure_on_the_way_up_changes_nothing(
    number: str, make_engine: EngineFactory, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whichever revision fails, with all its work done: the file holds what it held, and the message names it."""
    run(SHAPES["some import_index"] + ";")
    before = dump(tmp_path / "glyphd.sqlite")
    fail_in(monkeypatch, number, "upgrade")

    with pytest.raises(MigrationFailed, match=f"up to revision {number} .*: no power") as failure:
        schema.upgrade(make_engine())

    assert number == failure.value.members["revision"]
    assert before == dump(tmp_path / "glyphd.sqlite")
    assert schema.schema_status(make_engine()).current is None


@pytest.mark.parametrize("number", NUMBERS)
def test_a_failure_on_the_way_down_changes_nothing(
    number: str, in_use: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same in the other direction."""
    before = dump(tmp_path / "glyphd.sqlite")
    fail_in(monkeypatch, number, "downgrade")

    with pytest.raises(MigrationFailed, match=f"down from revision {number} .*: no power"):
        schema.downgrade(in_use, to="base")

    assert before == dump(tmp_path / "glyphd.sqlite")


def fail_in(monkeypatch: pytest.MonkeyPatch, number: str, way: str) -> None:
    """Let a revision do its work and then fail."""
    load = schema.ScriptDirectory.from_config

    def tampered(*args: Any) -> Any:
        script = load(*args)
        module = script.get_revision(number).module
        work = getattr(module, way)

        def failing() -> None:
            work()
            raise OSError("no power")

        monkeypatch.setattr(module, way, failing)
        return script

    monkeypatch.setattr(schema.ScriptDirectory, "from_config", tampered)


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
        MigrationFailed, match=r"do not exist \(1 of listings to models, 3 of scored_listings to models"
    ):
        schema.downgrade(in_use, to="0001")

    assert before == dump(tmp_path / "glyphd.sqlite")


def test_a_dry_run_tells_and_changes_nothing(make_engine: EngineFactory, run: Run, tmp_path: Path) -> None:
    """It returns the statements of the real run, up and down."""
    run(SHAPES["as documented"])
    engine, before = make_engine(), dump(tmp_path / "glyphd.sqlite")

    told = schema.upgrade(engine, dry_run=True)

    assert before == dump(tmp_path / "glyphd.sqlite")
    assert told == schema.upgrade(engine)
    assert any(statement.startswith("CREATE TABLE sightings") for statement in told)
    assert not [statement for statement in told if statement.startswith(("SELECT", "PRAGMA"))]
    at_head = dump(tmp_path / "glyphd.sqlite")
    assert schema.downgrade(engine, 3, dry_run=True) == schema.downgrade(engine, 3)
    schema.upgrade(engine)
    assert sorted(at_head) == sorted(dump(tmp_path / "glyphd.sqlite"))


def test_migrators_take_turns(tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of several that start at once one migrates; the others wait and find nothing to do."""
    run(SHAPES["as documented"])
    migrated: list[int] = []
    fill = derived.fill_sightings
    monkeypatch.setattr(derived, "fill_sightings", lambda connection: (migrated.append(1), fill(connection)))
    engines = [create_engine(f"sqlite:///{tmp_path}/glyphd.sqlite") for _ in range(4)]
    try:
        with ThreadPoolExecutor(4) as pool:
            ran = list(pool.map(schema.upgrade, engines))
    finally:
        for engine in engines:
            engine.dispose()

    assert migrated == [1]
    assert [bool(statements) for statements in ran].count(True) == 1


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


def test_what_the_status_tells(make_engine: EngineFactory) -> None:
    """Current and newest revision, and what is still to come, by number and title."""
    engine = make_engine()
    fresh = schema.schema_status(engine)
    schema.upgrade(engine, "0008")
    later = schema.schema_status(engine)
    schema.upgrade(engine)

    assert (fresh.current, fresh.head, fresh.known) == (None, "0011", True)
    assert [revision.number for revision in fresh.pending] == NUMBERS
    assert later.pending == fresh.pending[8:]
    assert all(revision.title for revision in fresh.pending)
    assert schema.schema_status(engine) == schema.SchemaStatus("0011", "0011", [], known=True)


def test_a_server_refuses_a_schema_it_does_not_know(make_engine: EngineFactory, run: Run) -> None:
    """One sentence that says what to do, for a database that is not migrated, older, or newer."""
    engine = make_engine()
    with pytest.raises(
        SchemaOutOfDate, match="has not been migrated: run `glyphd migrate`, or `glyphd serve --migrate`"
    ):
        schema.require_current(engine)
    schema.upgrade(engine, "0004")
    with pytest.raises(SchemaOutOfDate, match=r"revision 0004 .* needs 0011: run `glyphd migrate`"):
        schema.require_current(engine)
    schema.upgrade(engine)
    schema.require_current(engine)

    run("UPDATE alembic_version SET version_num = '0042'")

    for refused in (schema.require_current, schema.upgrade, schema.downgrade):
        with pytest.raises(SchemaOutOfDate, match=r"revision 0042, .* does not know: upgrade glyphd\.$"):
            refused(engine)
    assert schema.schema_status(engine) == schema.SchemaStatus("0042", "0011", [], known=False)


def test_directions_that_make_no_sense_are_refused(make_engine: EngineFactory) -> None:
    """Up to a lower revision, down to a higher one, to one there is not, or by nothing."""
    engine = make_engine()
    schema.upgrade(engine, "0003")

    with pytest.raises(InvalidParameter, match="at schema revision 0003, past 0002"):
        schema.upgrade(engine, "0002")
    with pytest.raises(InvalidParameter, match="at schema revision 0003, short of 0004"):
        schema.downgrade(engine, to="0004")
    with pytest.raises(InvalidParameter, match="no schema revision 9; there are 0001 to 0011"):
        schema.upgrade(engine, "9")
    with pytest.raises(InvalidParameter, match="1 revision or more, not 0"):
        schema.downgrade(engine, 0)
    assert schema.upgrade(engine, "0003") == []
    assert schema.downgrade(engine, to="0003") == []
    schema.downgrade(engine, 99)
    assert schema.schema_status(engine).current is None
    assert schema.downgrade(engine) == []


def test_the_newest_revision_is_the_last(make_engine: EngineFactory) -> None:
    """HEAD is written down; the revisions agree."""
    pending = schema.schema_status(make_engine()).pending

    assert pending[-1].number == schema.HEAD
