"""Processes that read a SQLite file beside us answer with columns, or not at all; nobody loses a row by them."""

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
from sqlalchemy import column, delete, literal, literal_column, select, table, text

from glyphd.store.reading_processes import MOST_AT_ONCE, TOGETHER, Query, ReadingProcesses, reading_processes

KEPT = table("kept", column("number"), column("word"))
WRITTEN = 300
_LONG = "(WITH RECURSIVE up(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM up WHERE n < 50000) SELECT count(*) FROM up)"


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
def processes(file: Path) -> Iterator[ReadingProcesses]:
    """The processes that read it."""
    with reading_processes(file) as found:
        assert found
        yield found


def words(*numbers: int, rows: int = 1) -> Query:
    """Return a query for the words of numbers; of how many the type of the column is told."""
    return Query(select(KEPT.c.word).where(KEPT.c.number.in_(numbers)).order_by(KEPT.c.number), rows)


def found(processes: ReadingProcesses, *queries: Query) -> list[list[Any] | None]:
    """Return the words that were found by each query."""
    answers = processes.read_each(queries)
    return [None if answer is None else answer["word"].to_pylist() for answer in answers]


def test_an_answer(processes: ReadingProcesses) -> None:
    """A column for each that was asked for, as it is; parameters are bound."""
    query = select(literal(41) + 1, literal("a'b").label("x"), literal(0.1), literal_column("NULL").label("none"))

    answer = next(processes.read_each([Query(query, 1)]))

    assert answer is not None
    assert [[42], ["a'b"], [0.1], [None]] == [each.to_pylist() for each in answer.columns]


@pytest.mark.parametrize("count", [0, 1, 2, 3, 8])
def test_answers_come_in_the_order_of_the_queries(processes: ReadingProcesses, count: int) -> None:
    """However many there are, and whoever is quicker."""
    big = Query(select(literal_column("'one'").label("word")).where(text(_LONG)), 1)
    queries = [big if number % 2 == 0 else words(1, 4, rows=2) for number in range(count)]
    expected = [["one"] if number % 2 == 0 else ["one", None] for number in range(count)]
    assert expected == found(processes, *queries)
    assert expected == found(processes, *queries)


def test_no_answer(processes: ReadingProcesses) -> None:
    """A type that comes too late, or SQL that is none; the other queries are answered."""
    unknown = Query(select(literal_column("nothing")), 1)
    assert [None, ["one"], None, ["one"]] == found(processes, words(2, 3), words(1), unknown, words(1))


def test_a_query_that_does_not_fit_a_pipe(processes: ReadingProcesses) -> None:
    """Thousands of parameters, one after the other."""
    query = words(1, *range(10, 30_000))
    assert [["one"]] * 5 == found(processes, *[query] * 5)


@pytest.mark.parametrize("killed", [0, 1])
def test_one_that_has_died(processes: ReadingProcesses, killed: int) -> None:
    """Its queries have no answer, and nobody waits for one."""
    os.kill(processes.pids[killed], signal.SIGKILL)
    answers = found(processes, *[words(1)] * 4)
    assert [None, None] == answers[killed::2]
    assert [["one"], ["one"]] == answers[1 - killed :: 2]


def test_they_only_read(processes: ReadingProcesses, file: Path) -> None:
    """Whatever is asked."""
    everything: Any = delete(KEPT).returning(KEPT.c.number)
    assert [None] == found(processes, Query(everything, 5))
    with closing(sqlite3.connect(file)) as connection:
        assert (5,) == connection.execute("SELECT count(*) FROM kept").fetchone()


def test_there_are_only_so_many(file: Path) -> None:
    """Who gets none does without; those that ended make room, and nothing is left of them."""
    with ExitStack() as stack:
        got = [stack.enter_context(reading_processes(file)) for _ in range(MOST_AT_ONCE + 1)]
        pids = [pid for each in got if each for pid in each.pids]
        assert (MOST_AT_ONCE * TOGETHER, None) == (len(pids), got[-1])
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
    with reading_processes(file) as again:
        assert again


def test_one_that_cannot_be_started(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory or processes have run out: there are none, and they take no others' place."""
    with monkeypatch.context() as patch:
        patch.setattr(sys, "executable", str(file.with_name("nowhere")))
        for _ in range(MOST_AT_ONCE + 1):
            with reading_processes(file) as got:
                assert got is None
    with reading_processes(file) as again:
        assert again


def test_what_is_written_meanwhile_stays(file: Path) -> None:
    """Two copies of SQLite in one process would lose rows; these processes come, read and die beside us."""
    stop, readings = threading.Event(), []

    def read() -> None:
        while not stop.is_set():
            with reading_processes(file) as processes:
                assert processes
                readings.extend(found(processes, words(1), words(1)))

    reader = threading.Thread(target=read)
    reader.start()
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        for number in range(WRITTEN):
            connection.execute("INSERT INTO kept VALUES (?, 'written')", (100 + number,))
            if number % 20 == 0:
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    stop.set()
    reader.join()

    assert readings
    assert all(each == ["one"] for each in readings)
    with closing(sqlite3.connect(file)) as connection:
        assert (WRITTEN,) == connection.execute("SELECT count(*) FROM kept WHERE word = 'written'").fetchone()
        assert ("ok",) == connection.execute("PRAGMA integrity_check").fetchone()
