"""A migration happens as a whole or not at all, waits for its turn, and says clearly what is the matter."""

import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from glyphd.errors import InvalidParameter, MigrationFailed, SchemaOutOfDate
from glyphd.store import schema
from glyphd.store.migrations.postgresql.steps import PostgresSteps
from glyphd.store.migrations.sqlite.steps import SqliteSteps

from .places import Place, PostgresPlace
from .shapes import SHAPES
from .usage import FOUND_ON_POSTGRESQL

NUMBERS = [f"{number:04d}" for number in range(1, int(schema.HEAD) + 1)]


@pytest.fixture
def found(place: Place) -> Place:
    """A database that has rows, but none of the columns that revisions after the first one bring."""
    if isinstance(place, PostgresPlace):
        schema.upgrade(place.engine)  # so that parked tables are there too
        schema.downgrade(place.engine, to="base")
        place.run(FOUND_ON_POSTGRESQL)
    else:
        place.run(SHAPES["some import_index"] + ";")
    return place


@pytest.mark.parametrize("number", NUMBERS)
def test_a_failure_on_the_way_up_changes_nothing(number: str, found: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whichever revision fails, with all its work done: everything is as it was, and the message names it."""
    before = found.content(parked=True)
    fail_in(monkeypatch, number, "upgrade")

    with pytest.raises(MigrationFailed, match=f"up to revision {number} .*: no power") as failure:
        schema.upgrade(found.engine)

    assert number == failure.value.members["revision"]
    assert before == found.content(parked=True)
    assert schema.schema_status(found.engine).current is None


@pytest.mark.parametrize("number", NUMBERS)
def test_a_failure_on_the_way_down_changes_nothing(number: str, used: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same in the other direction."""
    before = used.content(parked=True)
    fail_in(monkeypatch, number, "downgrade")

    with pytest.raises(MigrationFailed, match=f"down from revision {number} .*: no power"):
        schema.downgrade(used.engine, to="base")

    assert before == used.content(parked=True)


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


def test_a_dry_run_tells_and_changes_nothing(found: Place) -> None:
    """It returns the statements of the real run, up and down."""
    before = found.content(parked=True)

    told = schema.upgrade(found.engine, dry_run=True)

    assert before == found.content(parked=True)
    assert told == schema.upgrade(found.engine)
    assert any(statement.startswith("CREATE TABLE sightings") for statement in told)
    assert not [statement for statement in told if statement.startswith(("SELECT", "PRAGMA", "SET", "BEGIN"))]
    at_head = found.content()
    assert schema.downgrade(found.engine, 3, dry_run=True) == schema.downgrade(found.engine, 3)
    schema.upgrade(found.engine)
    assert at_head == found.content()


def test_migrators_take_turns(found: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of ten that start at once one migrates; the others wait and find nothing to do."""
    migrated: list[int] = []
    for steps in (SqliteSteps, PostgresSteps):
        fill: Callable[..., None] = steps.fill_sightings
        monkeypatch.setattr(
            steps, "fill_sightings", lambda self, connection, fill=fill: (migrated.append(1), fill(self, connection))
        )
    engines = [found.connect() for _ in range(10)]
    try:
        with ThreadPoolExecutor(10) as pool:
            ran = list(pool.map(schema.upgrade, engines))
    finally:
        for engine in engines:
            engine.dispose()

    assert migrated == [1]
    assert [bool(statements) for statements in ran].count(True) == 1


PROCESS = """
import sys, sqlalchemy
from glyphd.store import schema
engine = sqlalchemy.create_engine(sys.argv[1])
print("ready", flush=True)
sys.stdin.readline()
print(len(schema.upgrade(engine)), schema.schema_status(engine).current)
engine.dispose()
"""


def test_processes_take_turns(found: Place) -> None:
    """Nodes that start at once, each a process of its own: one migrates, none fails."""
    url = found.engine.url.render_as_string(hide_password=False)
    nodes = [
        subprocess.Popen([sys.executable, "-c", PROCESS, url], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    for node in nodes:
        assert node.stdout
        assert node.stdout.readline() == "ready\n"
    for node in nodes:
        assert node.stdin
        node.stdin.write("go\n")
        node.stdin.flush()
    told = [node.communicate(timeout=120)[0].split() for node in nodes]

    assert [node.returncode for node in nodes] == [0, 0, 0, 0]
    assert sorted(bool(int(count)) for count, _ in told) == [False, False, False, True]
    assert {current for _, current in told} == {schema.HEAD}


def test_what_the_status_tells(place: Place) -> None:
    """Current and newest revision, and what is still to come, by number and title."""
    engine = place.engine
    fresh = schema.schema_status(engine)
    schema.upgrade(engine, "0008")
    later = schema.schema_status(engine)
    schema.upgrade(engine)

    assert (fresh.current, fresh.head, fresh.known) == (None, "0013", True)
    assert [revision.number for revision in fresh.pending] == NUMBERS
    assert later.pending == fresh.pending[8:]
    assert all(revision.title for revision in fresh.pending)
    assert schema.schema_status(engine) == schema.SchemaStatus("0013", "0013", [], known=True)


def test_a_server_refuses_a_schema_it_does_not_know(place: Place) -> None:
    """One sentence that says what to do, for a database that is not migrated, older, or newer."""
    engine = place.engine
    with pytest.raises(
        SchemaOutOfDate, match="has not been migrated: run `glyphd migrate`, or `glyphd serve --migrate`"
    ):
        schema.require_current(engine)
    schema.upgrade(engine, "0004")
    with pytest.raises(SchemaOutOfDate, match=r"revision 0004 .* needs 0013: run `glyphd migrate`"):
        schema.require_current(engine)
    schema.upgrade(engine)
    schema.require_current(engine)

    place.run("UPDATE alembic_version SET version_num = '0042'")

    for refused in (schema.require_current, schema.upgrade, schema.downgrade):
        with pytest.raises(SchemaOutOfDate, match=r"revision 0042, .* does not know: upgrade glyphd\.$"):
            refused(engine)
    assert schema.schema_status(engine) == schema.SchemaStatus("0042", "0013", [], known=False)


def test_directions_that_make_no_sense_are_refused(place: Place) -> None:
    """Up to a lower revision, down to a higher one, to one there is not, or by nothing."""
    engine = place.engine
    schema.upgrade(engine, "0003")

    with pytest.raises(InvalidParameter, match="at schema revision 0003, past 0002"):
        schema.upgrade(engine, "0002")
    with pytest.raises(InvalidParameter, match="at schema revision 0003, short of 0004"):
        schema.downgrade(engine, to="0004")
    with pytest.raises(InvalidParameter, match="no schema revision 9; there are 0001 to 0013"):
        schema.upgrade(engine, "9")
    with pytest.raises(InvalidParameter, match="1 revision or more, not 0"):
        schema.downgrade(engine, 0)
    assert schema.upgrade(engine, "0003") == []
    assert schema.downgrade(engine, to="0003") == []
    schema.downgrade(engine, 99)
    assert schema.schema_status(engine).current is None
    assert schema.downgrade(engine) == []


def test_the_newest_revision_is_the_last(place: Place) -> None:
    """HEAD is written down; the revisions agree."""
    pending = schema.schema_status(place.engine).pending

    assert pending[-1].number == schema.HEAD
