"""The schema of a database: at which revision it is, and moving it up or down."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from threading import Lock
from typing import Any

import psycopg
from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import RevisionStep
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, inspect
from sqlalchemy.exc import SQLAlchemyError

from glyphd.errors import GlyphdError, InvalidParameter, MigrationFailed, SchemaOutOfDate
from glyphd.store.migrations.steps import steps_of
from glyphd.store.translate import translating


@dataclass(frozen=True)
class Revision:
    """One step of the schema."""

    number: str
    title: str


@dataclass(frozen=True)
class SchemaStatus:
    """Where a database stands. ``known`` is False if a newer glyphd has migrated it."""

    current: str | None
    head: str
    pending: list[Revision]
    known: bool


HEAD: str = "0013"
"""The newest revision."""

_ONE_AT_A_TIME = Lock()  # Alembic keeps the environment it runs in a global


def schema_status(engine: Engine) -> SchemaStatus:
    """Return where a database stands; reads only."""
    with translating(), engine.connect() as connection:
        found = _heads(connection)
    if not found:
        return SchemaStatus(None, HEAD, list(_revisions()), known=True)
    numbers = [revision.number for revision in _revisions()]
    newer = [number for number in found if number not in numbers]
    if newer:
        return SchemaStatus(newer[0], HEAD, [], known=False)
    current = max(found)
    return SchemaStatus(current, HEAD, list(_revisions()[numbers.index(current) + 1 :]), known=True)


def require_current(engine: Engine) -> None:
    """Raise SchemaOutOfDate, in one sentence that says what to do, unless the database is at this glyphd's revision."""
    status = schema_status(engine)
    if not status.known:
        raise _newer(status.current)
    if status.current is None:
        raise SchemaOutOfDate("The database has not been migrated: run `glyphd migrate`, or `glyphd serve --migrate`.")
    if status.pending:
        raise SchemaOutOfDate(
            f"The database is at schema revision {status.current} and this glyphd needs {HEAD}:"
            " run `glyphd migrate`, or `glyphd serve --migrate`."
        )


def upgrade(engine: Engine, to: str = "head", *, dry_run: bool = False) -> list[str]:
    """Take a database up to a revision and return the SQL that was run; ``dry_run`` undoes it.

    Nothing happens if it is there already. Raises MigrationFailed, the database being as before; SchemaOutOfDate if the
    database is newer than this glyphd; InvalidParameter if the revision is unknown or behind the database.
    """
    target = _height(to)

    def steps(current: str | None) -> list[RevisionStep]:
        here = _height(current or "base")
        if target < here:
            raise InvalidParameter(f"The database is at schema revision {current}, past {to}: go down to it instead.")
        return _script()._upgrade_revs(_name(target), current or "base") if target > here else []

    status = schema_status(engine)
    return (
        [] if status.known and _height(status.current or "base") == target else _migrate(engine, steps, dry_run=dry_run)
    )


def downgrade(engine: Engine, steps: int = 1, *, to: str | None = None, dry_run: bool = False) -> list[str]:
    """Take a database down by some revisions, or to one (`base` is none), and return the SQL that was run.

    Nothing is lost: what the older schema cannot hold is parked in the database and returns on the way up. Raises as
    :func:`upgrade`.
    """
    if steps < 1:
        raise InvalidParameter(f"A database goes down by 1 revision or more, not {steps}.")
    named = None if to is None else _height(to)

    def down(current: str | None) -> list[RevisionStep]:
        here = _height(current or "base")
        target = max(here - steps, 0) if named is None else named
        if target > here:
            raise InvalidParameter(f"The database is at schema revision {current or 'base'}, short of {to}.")
        return _script()._downgrade_revs(_name(target), current) if target < here else []

    return _migrate(engine, down, dry_run=dry_run)


def _script() -> ScriptDirectory:
    return ScriptDirectory.from_config(_config())


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", "glyphd.store:migrations")  # the package's, wherever it is installed
    config.set_main_option("path_separator", "os")
    return config


@cache
def _revisions() -> tuple[Revision, ...]:
    scripts = reversed(list(_script().walk_revisions()))
    return tuple(Revision(script.revision, script.doc.rstrip(".")) for script in scripts)


def _height(number: str) -> int:
    """Return how many revisions a database at this one has."""
    numbers = ["base", *(revision.number for revision in _revisions())]
    wanted = HEAD if number == "head" else number
    if wanted not in numbers:
        raise InvalidParameter(f"There is no schema revision {number}; there are {numbers[1]} to {numbers[-1]}.")
    return numbers.index(wanted)


def _name(height: int) -> str:
    return _revisions()[height - 1].number if height else "base"


def _heads(connection: Connection) -> list[str]:
    if not inspect(connection).has_table("alembic_version"):
        return []
    return list(connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalars())


def _newer(number: str | None) -> SchemaOutOfDate:
    return SchemaOutOfDate(
        f"The database is at schema revision {number}, which this glyphd (up to {HEAD}) does not know: upgrade glyphd."
    )


def _migrate(engine: Engine, plan: Callable[[str | None], list[RevisionStep]], *, dry_run: bool) -> list[str]:
    status = schema_status(engine)
    if not status.known:
        raise _newer(status.current)
    transaction = steps_of(engine).exclusive_transaction(engine, keep=not dry_run)
    with _ONE_AT_A_TIME, _translated(), transaction as (connection, statements):
        _run(connection, plan)
        return statements


def _run(connection: Connection, plan: Callable[[str | None], list[RevisionStep]]) -> None:
    steps: list[RevisionStep] = []
    done: list[Any] = []

    def planned(current: Any, _context: Any) -> list[RevisionStep]:
        steps.extend(plan(next(iter(current), None)))
        if steps:
            steps_of(connection).shut_out(connection)
        return steps

    config = _config()
    config.attributes.update(connection=connection, on_version_apply=lambda **step: done.append(step))
    script = ScriptDirectory.from_config(config)
    try:
        with EnvironmentContext(config, script, fn=planned):
            script.run_env()
    except GlyphdError:
        raise
    except Exception as exc:
        raise _failed(steps[len(done) :], exc) from exc


def _failed(left: list[RevisionStep], exc: Exception) -> MigrationFailed:
    cause = getattr(exc, "orig", None) or exc
    if not left:
        return MigrationFailed(f"The migration failed and changed nothing: {cause}.")
    step: Any = left[0]
    number, way = step.revision.revision, "up to" if step.is_upgrade else "down from"
    return MigrationFailed(
        f"The migration {way} revision {number} ({step.revision.doc.rstrip('.')}) failed and changed nothing: {cause}.",
        revision=number,
    )


@contextmanager
def _translated() -> Iterator[None]:
    """What goes wrong around the revisions (no lock, no space, references broken) is a failed migration too."""
    try:
        yield
    except GlyphdError:
        raise
    except (SQLAlchemyError, sqlite3.Error, psycopg.Error) as exc:
        raise _failed([], exc) from exc
