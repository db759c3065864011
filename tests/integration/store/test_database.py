"""Transactions: what is written together shows together or not at all, and driver errors never leak."""

import os
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import InvalidRequestError, TimeoutError  # noqa: A004 - SQLAlchemy's name for it

from glyphd.errors import GlyphdError, NoSpaceLeft, StoreUnavailable, UnexpectedFailure
from glyphd.services.context import Context
from glyphd.store.database import Database
from tests.engines import only_sqlite

_REFUSED = UnexpectedFailure
_INSERT = text("INSERT INTO import_batches (import_id) VALUES (:import_id)")


@pytest.fixture
def database(context: Context) -> Database:
    """A migrated database."""
    return context.database


def test_silence_means_rollback(database: Database) -> None:
    """Only a commit keeps what was written."""
    with database.writing() as work:
        work.connection.execute(_INSERT, {"import_id": "a"})
    with database.writing() as work:
        work.connection.execute(_INSERT, {"import_id": "b"})
        work.commit()
    with pytest.raises(ValueError, match="inside"):
        _write_and_raise(database)
    assert ["b"] == _import_ids(database)


def test_a_read_is_one_snapshot(database: Database) -> None:
    """What is committed meanwhile is not seen, and does not wait for the reader."""
    with database.reading() as connection:
        assert [] == _read(connection)
        with database.writing() as work:
            work.connection.execute(_INSERT, {"import_id": "a"})
            work.commit()
        assert [] == _read(connection)
    assert ["a"] == _import_ids(database)


def test_writers_wait_for_each_other(database: Database) -> None:
    """Sixteen threads that write at once all succeed: none is told that the database is locked."""
    problems: list[BaseException] = []

    def write(number: int) -> None:
        try:
            with database.writing() as work:
                work.connection.execute(_INSERT, {"import_id": str(number)})
                work.commit()
        except BaseException as exc:
            problems.append(exc)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [] == problems
    assert 16 == len(_import_ids(database))


@pytest.mark.parametrize("url", ["postgresql://localhost", "sqlite://", "mysql://x/y", "data/glyphd.sqlite"])
def test_other_engines_are_refused(url: str) -> None:
    """In words, and before anything is connected to."""
    with pytest.raises(StoreUnavailable):
        Database(url)


@pytest.mark.parametrize(
    ("statement", "kind"),
    [
        ("SELECT * FROM nothing", StoreUnavailable),
        ("SELEC", StoreUnavailable),
        ("INSERT INTO import_batches (import_id) VALUES (NULL)", UnexpectedFailure),
        (
            "INSERT INTO import_events (import_id, at, actor, action, status) VALUES ('x', '2026-01-01', '', '', '')",
            _REFUSED,
        ),
    ],
)
def test_what_the_driver_says_is_translated(database: Database, statement: str, kind: type[GlyphdError]) -> None:
    """By SQLAlchemy, and by the driver used directly for many rows."""
    with pytest.raises(kind) as by_sqlalchemy:
        _write(database, statement)
    with pytest.raises(kind) as by_driver:
        _write_by_driver(database, statement)
    for found in (by_sqlalchemy.value, by_driver.value):
        assert found.__cause__ is not None


@only_sqlite
@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ("database or disk is full", NoSpaceLeft),
        ("disk I/O error", NoSpaceLeft),
        ("database is locked", StoreUnavailable),
        ("file is not a database", StoreUnavailable),
    ],
)
def test_what_sqlite_says_of_its_file_is_translated(database: Database, said: str, kind: type[GlyphdError]) -> None:
    """A full disk is told from a store that is away."""
    with pytest.raises(kind, match=said), database.reading():
        raise sqlite3.OperationalError(said)


def test_no_free_connection(database: Database) -> None:
    """Somebody who waits too long for one is told that the store is busy."""
    with pytest.raises(StoreUnavailable, match="in use"), database.reading():
        raise TimeoutError


def test_misuse_of_the_library(database: Database) -> None:
    """What SQLAlchemy itself says does not leak either."""
    with pytest.raises(StoreUnavailable, match="answered"), database.reading():
        raise InvalidRequestError("closed")


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    """The store is unavailable, in words."""
    (tmp_path / "g.sqlite").write_bytes(b"canonical_model,price\n" * 100)
    database = Database(f"sqlite:///{tmp_path}/g.sqlite")
    with pytest.raises(StoreUnavailable, match="not a database"), database.reading():
        pass
    database.dispose()


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    """A file is in its place: the store is unavailable, in words."""
    (tmp_path / "data").write_text("")
    with pytest.raises(StoreUnavailable, match="data"):
        Database(f"sqlite:///{tmp_path}/data/g.sqlite")


def test_a_folder_is_made(tmp_path: Path) -> None:
    """The default database lies in a folder that nobody has made."""
    database = Database(f"sqlite:///{tmp_path}/not/there/g.sqlite")
    with database.reading() as connection:
        assert 1 == connection.execute(text("SELECT 1")).scalar()
    database.dispose()


@pytest.fixture
def constrained(context: Context, publish_one: Callable[[], str]) -> tuple[Database, str]:
    """A database with one published import of one row."""
    return context.database, publish_one()


_ROW = "canonical_model, price, vram_gb, tdp_watts, score, import_id, import_index"


@pytest.mark.parametrize(
    ("model", "import_id", "index", "refusal"),
    [
        ("'H100'", "NULL", "2", "(?i)not.null"),
        ("'H100'", ":import_id", "NULL", "(?i)not.null"),
        ("'H100'", ":import_id", "1", "(?i)unique"),
    ],
)
def test_every_row_has_an_import_and_a_position(
    constrained: tuple[Database, str], model: str, import_id: str, index: str, refusal: str
) -> None:
    """G1: the database itself refuses a row without one, or with a position that is taken."""
    database, known = constrained
    row = f"INSERT INTO scored_listings ({_ROW}) VALUES ({model}, 1, 1, 1, 1, {import_id}, {index})"
    values = {"import_id": known} if ":import_id" in import_id else {}
    with pytest.raises(UnexpectedFailure, match=refusal):
        _write(database, row, **values)


@only_sqlite  # PostgreSQL has no keys for it: there the audit compares (test_running.py), and nothing is deleted
@pytest.mark.parametrize(("model", "import_id"), [("'H100'", "'nobody'"), ("'unknown'", ":import_id")])
def test_every_row_has_an_import_and_a_model_that_exist(
    constrained: tuple[Database, str], model: str, import_id: str
) -> None:
    """G1: the database itself refuses a row that names one that does not."""
    test_every_row_has_an_import_and_a_position(constrained, model, import_id, "2", "FOREIGN KEY")


def test_an_import_with_rows_cannot_be_deleted(constrained: tuple[Database, str]) -> None:
    """G1: nor a rejection, a listing or an event be left without its import."""
    database, known = constrained
    with pytest.raises(UnexpectedFailure, match=r"FOREIGN KEY|is still referred to"):
        _write(database, "DELETE FROM import_batches WHERE import_id = :id", id=known)


def test_descriptors_are_given_back(database: Database) -> None:
    """Reading and writing leave no open file behind but the pool's."""
    _import_ids(database)
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(20):
        _import_ids(database)
        with database.writing() as work:
            work.commit()
    assert before == len(os.listdir("/proc/self/fd"))


def _write_and_raise(database: Database) -> None:
    with database.writing() as work:
        work.connection.execute(_INSERT, {"import_id": "c"})
        raise ValueError("inside")


def _write(database: Database, statement: str, **values: str) -> None:
    with database.writing() as work:
        work.connection.execute(text(statement), values)
        work.commit()


def _write_by_driver(database: Database, statement: str) -> None:
    with database.writing() as work:
        driver: Any = work.connection.connection.driver_connection
        driver.execute(statement)


def _import_ids(database: Database) -> list[str]:
    with database.reading() as connection:
        return _read(connection)


def _read(connection: Connection) -> list[str]:
    return list(connection.execute(text("SELECT import_id FROM import_batches ORDER BY id")).scalars())
