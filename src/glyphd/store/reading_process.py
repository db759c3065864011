"""Queries to a SQLite file, answered as Arrow by a process of its own (:mod:`glyphd.store.arrow_reader`).

Handing Python a million rows value by value takes two to three times as long, and holds up its other threads.
"""

import json
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from threading import BoundedSemaphore
from types import TracebackType
from typing import Any, NamedTuple, Self
from urllib.parse import quote

import pyarrow as pa
from sqlalchemy import Select
from sqlalchemy.dialects import sqlite

MOST_AT_ONCE = 4
"""How many there are at a time in a server, of 80 MB each; who gets none reads value by value."""

_PIPE = 1 << 20
_ASKED_AHEAD = 1 << 14
"""So much fits into a pipe, also where it is small: neither side waits for the other one to read."""

_DIALECT = sqlite.dialect()
_free = BoundedSemaphore(MOST_AT_ONCE)


class Query(NamedTuple):
    """What is asked, and how many rows there are at most: by all of them the types of columns are told."""

    select: Select[Any]
    rows: int


class ReadingProcess:
    """Reads a SQLite file until the `with` block ends. Every query is a snapshot of its own."""

    def __init__(self, file: Path) -> None:
        """Start it; what it has to load (0.12 s) it loads while we go on."""
        self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
            [sys.executable, "-m", "glyphd.store.arrow_reader", f"file:{quote(str(file.absolute()))}?mode=ro"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            pipesize=_PIPE,
        )

    @property
    def pid(self) -> int:
        """Its number among processes."""
        return self._process.pid

    def __enter__(self) -> Self:
        """Return it."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End it; what it is answering is not wanted any more."""
        self._process.kill()
        self._process.communicate()

    def read(self, query: Query) -> pa.Table | None:
        """Return the rows of a query, values as they are stored.

        None when a column holds values of several types, when SQLite refuses, or when the process is gone: a connection
        can read them then, or say why not.
        """
        self._ask(_line(query))
        return self._answer()

    def read_each(self, queries: Iterable[Query]) -> Iterator[pa.Table | None]:
        """Yield the rows of each query, as :meth:`read` does; the next one is worked on meanwhile."""
        waiting = False
        for line in map(_line, queries):
            if waiting and len(line) > _ASKED_AHEAD:
                yield self._answer()
                waiting = False
            self._ask(line)
            if waiting:
                yield self._answer()
            waiting = True
        if waiting:
            yield self._answer()

    def _ask(self, line: bytes) -> None:
        if (asked := self._process.stdin) is not None:
            with suppress(BrokenPipeError):  # it was ended, and will not answer
                asked.write(line)
                asked.flush()

    def _answer(self) -> pa.Table | None:
        try:
            table = pa.ipc.open_stream(pa.PythonFile(self._process.stdout, "r")).read_all()
        except (OSError, pa.ArrowException):
            return None
        return table if table.num_columns else None


def _line(query: Query) -> bytes:
    compiled = query.select.compile(dialect=_DIALECT).construct_expanded_state()
    return json.dumps([compiled.statement, compiled.positional_parameters, query.rows]).encode() + b"\n"


@contextmanager
def reading_process(file: Path) -> Iterator[ReadingProcess | None]:
    """Have a process for as long as the context lasts; None when there are as many as there may be, or none starts."""
    with ExitStack() as stack:
        process = None
        if _free.acquire(blocking=False):
            stack.callback(_free.release)
            with suppress(OSError):
                process = stack.enter_context(ReadingProcess(file))
        yield process
