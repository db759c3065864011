"""Queries to a SQLite file, answered as Arrow by a process of its own (:mod:`glyphd.store.arrow_reader`).

Handing Python a million rows value by value takes two to three times as long, and holds up its other threads.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from threading import BoundedSemaphore
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

import pyarrow as pa
from sqlalchemy import Select
from sqlalchemy.dialects import sqlite

MOST_AT_ONCE = 4
"""How many there are at a time in a server, of 80 MB each; who gets none reads value by value."""

_DIALECT = sqlite.dialect()
_free = BoundedSemaphore(MOST_AT_ONCE)


class ReadingProcess:
    """Reads a SQLite file until the `with` block ends. Every query is a snapshot of its own."""

    def __init__(self, file: Path) -> None:
        """Start it; what it has to load (0.12 s) it loads while we go on."""
        self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
            [sys.executable, "-m", "glyphd.store.arrow_reader", f"file:{quote(str(file.absolute()))}?mode=ro"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
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

    def read(self, query: Select[Any], rows: int) -> pa.Table | None:
        """Return the rows of a query, which are no more than so many, values as they are stored.

        None when a column holds values of several types, when SQLite refuses, or when the process is gone: a connection
        can read them then, or say why not.
        """
        asked, answers = self._process.stdin, self._process.stdout
        if asked is None or answers is None:
            return None
        compiled = query.compile(dialect=_DIALECT).construct_expanded_state()
        try:
            asked.write(json.dumps([compiled.statement, compiled.positional_parameters, rows]).encode() + b"\n")
            asked.flush()
            table = pa.ipc.open_stream(pa.PythonFile(answers, "r")).read_all()
        except (OSError, pa.ArrowException):  # it was ended
            return None
        return table if table.num_columns else None


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
