"""A process that reads a SQLite file beside us answers with columns, or not at all; nobody loses a row by it."""

import os
import signal
import sqlite3
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Select, column, delete, literal, literal_column, select, table

from glyphd.store.reading_process import MOST_AT_ONCE, ReadingProcess, reading_process

KEPT = table("kept", column("number"), column("word"))
WRITTEN = 300


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A database of one table, in a file whose name means something in an address."""
    path = tmp_path / "a b%20?mode=rw#é.sqlite"
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("CREATE TABLE kept (number INTEGER PRIMARY KEY, word)")
        connection.execute("INSERT INTO kept VALUES (1, 'one'), (2, 2), (3, 0.5), (4, NULL), (5, x'ff')")
    return path


@pytest.fixture
def process(file: Path) -> Iterator[ReadingProcess]:
    """The process that reads it."""
    with reading_process(file) as found:
        assert found
        yield found


def words(*numbers: int) -> Select[tuple[object]]:
    """Return a query for the words of numbers."""
    return select(KEPT.c.word).where(KEPT.c.number.in_(numbers)).order_by(KEPT.c.number)


def test_an_answer(process: ReadingProcess) -> None:
    """A column for each that was asked for, as it is; parameters are bound."""
    query = select(literal(41) + 1, literal("a'b").label("x"), literal(0.1), literal_column("NULL").label("none"))

    answer = process.read(query, 1)

    assert answer is not None
    assert [[42], ["a'b"], [0.1], [None]] == [each.to_pylist() for each in answer.columns]


def test_no_answer(process: ReadingProcess) -> None:
    """A type that comes too late, or SQL that is none; the next question is answered."""
    assert process.read(words(2, 3), 1) is None
    assert process.read(select(literal_column("nothing")), 1) is None
    answer = process.read(words(1, 4), 2)
    assert answer is not None
    assert ["one", None] == answer["word"].to_pylist()


def test_a_question_that_does_not_fit_a_pipe(process: ReadingProcess) -> None:
    """Thousands of parameters."""
    answer = process.read(words(1, *range(10, 30_000)), 1)
    assert answer is not None
    assert ["one"] == answer["word"].to_pylist()


def test_one_that_has_died(process: ReadingProcess) -> None:
    """There is no answer, and nobody waits for one."""
    os.kill(process.pid, signal.SIGKILL)
    assert process.read(words(1), 1) is None


def test_it_only_reads(process: ReadingProcess, file: Path) -> None:
    """Whatever is asked."""
    everything: Any = delete(KEPT).returning(KEPT.c.number)
    assert process.read(everything, 5) is None
    with closing(sqlite3.connect(file)) as connection:
        assert (5,) == connection.execute("SELECT count(*) FROM kept").fetchone()


def test_there_are_only_so_many(file: Path) -> None:
    """Who gets none does without; those that ended make room, and nothing is left of them."""
    with ExitStack() as stack:
        got = [stack.enter_context(reading_process(file)) for _ in range(MOST_AT_ONCE + 1)]
        pids = [each.pid for each in got if each]
        assert (MOST_AT_ONCE, None) == (len(pids), got[-1])
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
    with reading_process(file) as again:
        assert again


def test_one_that_cannot_be_started(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory or processes have run out: there is none, and it takes no other's place."""
    for _ in range(MOST_AT_ONCE + 1):
        with monkeypatch.context() as patch, reading_process(_unstartable(file, patch)) as process:
            assert process is None
    with reading_process(file) as found:
        assert found


def _unstartable(file: Path, patch: pytest.MonkeyPatch) -> Path:
    patch.setattr(sys, "executable", str(file.with_name("nowhere")))
    return file


def test_what_is_written_meanwhile_stays(file: Path) -> None:
    """Two copies of SQLite in one process would lose rows; these processes come, read and die beside us."""
    stop = threading.Event()

    def read() -> None:
        while not stop.is_set():
            with reading_process(file) as process:
                assert process
                assert process.read(words(1), 1) is not None

    reader = threading.Thread(target=read)
    reader.start()
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        for number in range(WRITTEN):
            connection.execute("INSERT INTO kept VALUES (?, 'written')", (100 + number,))
            if number % 20 == 0:
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    stop.set()
    reader.join()

    with closing(sqlite3.connect(file)) as connection:
        assert (WRITTEN,) == connection.execute("SELECT count(*) FROM kept WHERE word = 'written'").fetchone()
        assert ("ok",) == connection.execute("PRAGMA integrity_check").fetchone()
