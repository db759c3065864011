"""Queries to a SQLite file, answered as Arrow by processes of their own (:mod:`glyphd.store.arrow_reader`).

Handing Python a million rows value by value takes two to three times as long, and holds up its other threads.
"""

import json
import subprocess
import sys
from collections import deque
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

TOGETHER = 2
"""How many read for one request: one works while the other's answer is taken."""

MOST_AT_ONCE = 4
"""For how many requests at a time they read in a server; who gets none reads value by value."""

_PIPE = 1 << 20
_DIALECT = sqlite.dialect()
_free = BoundedSemaphore(MOST_AT_ONCE)


class Query(NamedTuple):
    """What is asked, and how many rows there are at most: by all of them the types of columns are told."""

    select: Select[Any]
    rows: int


class ReadingProcesses:
    """Read a SQLite file until the `with` block ends. Every query is a snapshot of its own."""

    def __init__(self, file: Path) -> None:
        """Start them; the path is absolute. Raises OSError when one cannot be started."""
        with ExitStack() as stack:
            self._processes = [stack.enter_context(_Process(file)) for _ in range(TOGETHER)]
            self._stack = stack.pop_all()

    @property
    def pids(self) -> list[int]:
        """Their numbers among processes."""
        return [process.pid for process in self._processes]

    def __enter__(self) -> Self:
        """Return them."""
        return self

    def __exit__(self, *exc: object) -> None:
        """End them; what they are answering is not wanted any more."""
        self._stack.close()

    def read_each(self, queries: Iterable[Query]) -> Iterator[pa.Table | None]:
        """Yield the rows of each query, values as they are stored; the next ones are worked on meanwhile.

        None when a column holds values of several types, when SQLite refuses, or when the process is gone: a connection
        can read them then, or say why not. The answers to one call must be taken before the next call.
        """
        coming = iter(queries)
        asked: deque[_Process] = deque()
        for process, query in zip(self._processes, coming, strict=False):
            process.ask(query)
            asked.append(process)
        while asked:
            process = asked.popleft()
            answer = process.answer()
            if (following := next(coming, None)) is not None:
                process.ask(following)
                asked.append(process)
            yield answer


class _Process:
    """One of them."""

    def __init__(self, file: Path) -> None:
        """Start it; what it has to load (0.12 s) it loads while we go on."""
        self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
            [sys.executable, "-P", "-m", "glyphd.store.arrow_reader", f"file:{quote(str(file))}?mode=ro"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            pipesize=_PIPE,
        )
        self.pid = self._process.pid

    def __enter__(self) -> Self:
        """Return it."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End it."""
        self._process.kill()
        self._process.communicate()

    def ask(self, query: Query) -> None:
        """Give it something to do; what was asked before must have been answered."""
        compiled = query.select.compile(dialect=_DIALECT).construct_expanded_state()
        line = json.dumps([compiled.statement, compiled.positional_parameters, query.rows]).encode() + b"\n"
        if (asked := self._process.stdin) is not None:
            with suppress(BrokenPipeError, ValueError):  # it was ended, and will not answer
                asked.write(line)
                asked.flush()

    def answer(self) -> pa.Table | None:
        """Return what it found."""
        try:
            table = pa.ipc.open_stream(pa.PythonFile(self._process.stdout, "r")).read_all()
        except (OSError, ValueError, pa.ArrowException):
            return None
        return table if table.num_columns else None


@contextmanager
def reading_processes(file: Path) -> Iterator[ReadingProcesses | None]:
    """Have some as long as the context lasts; None when there are as many as there may be, or one does not start."""
    with ExitStack() as stack:
        processes = None
        if _free.acquire(blocking=False):
            stack.callback(_free.release)
            with suppress(OSError):
                processes = stack.enter_context(ReadingProcesses(file))
        yield processes
