"""Files that are answered while they are made."""

import gc
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from glyphd.services import exporting
from glyphd.store import database
from glyphd.store.reading_processes import ReadingProcesses
from tests.engines import only_sqlite

ROWS = 20_000  # of 600 bytes: more than the buffers between a server and its client hold


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """The processes that were started to read, which no garbage collection ends; few rows are read at a time."""
    pids: list[int] = []
    start = ReadingProcesses.__init__

    def recorded(processes: ReadingProcesses, *arguments: Any) -> None:
        start(processes, *arguments)
        pids.extend(processes.pids)

    monkeypatch.setattr(ReadingProcesses, "__init__", recorded)
    monkeypatch.setattr(database, "ROWS_WORTH_PROCESSES", 0)
    monkeypatch.setattr(exporting, "INDEXES_PER_READ", 500)
    gc.disable()
    yield pids
    gc.enable()


@only_sqlite
@pytest.mark.parametrize("form", ["csv", "ndjson"])
def test_a_client_that_goes_away_leaves_nothing_behind(
    api: httpx.Client, make_csv: Callable[..., Path], started: list[int], form: str
) -> None:
    """What read for it ends at once, and not some day."""
    file = make_csv(*[{"price": str(1 + number), "notes": "n" * 500} for number in range(ROWS)])
    assert 201 == api.post("/api/import", content=file.read_bytes(), headers={"Content-Type": "text/csv"}).status_code

    with httpx.stream("GET", f"{api.base_url}/api/listings", params={"format": form}) as answer:
        assert 200 == answer.status_code
        portions = answer.iter_raw()
        while not started:
            next(portions)
        assert started == _alive(started)

    deadline = time.monotonic() + 10
    while _alive(started) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert [] == _alive(started)


def _alive(pids: list[int]) -> list[int]:
    return [pid for pid in pids if os.path.exists(f"/proc/{pid}")]
