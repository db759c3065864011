"""Live progress: rate and time left, from what the ledger says."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from glyphd.domain.imports import Import, Status
from glyphd.domain.progress import progress_of

_START = datetime(2026, 11, 25, tzinfo=UTC)


def entry(**values: Any) -> Import:
    """Return an import of the ledger; what is not given is None."""
    return Import(**{**dict.fromkeys(Import.__dataclass_fields__), "status": Status.RUNNING, "attempts": 1, **values})


def test_rate_and_time_left_are_worked_out_from_the_ledger() -> None:
    """A quarter of the bytes in 2.5 s: as much three times again."""
    running = entry(
        records_done=5000,
        bytes_done=250,
        bytes_total=1000,
        started_at=_START,
        progressed_at=_START + timedelta(seconds=2.5),
    )

    found = progress_of(running, 3)

    assert (5000, 250, 1000) == (found.records_done, found.bytes_done, found.bytes_total)
    assert (2000.0, 8, None) == (found.records_per_second, found.eta_seconds, found.waiting_before)


@pytest.mark.parametrize(
    "unknown",
    [
        {"progressed_at": None},
        {"started_at": None},
        {"progressed_at": _START},
        {"progressed_at": _START - timedelta(hours=1)},
    ],
)
def test_without_time_taken_there_is_no_rate(unknown: dict[str, Any]) -> None:
    """Not begun, nothing stored yet, or a clock that stepped back: null, and no division by zero."""
    known = {"records_done": 5, "bytes_done": 5, "bytes_total": 10, "started_at": _START, "progressed_at": _START}

    found = progress_of(entry(**{**known, **unknown}), None)

    assert (None, None) == (found.records_per_second, found.eta_seconds)


@pytest.mark.parametrize(("done", "total", "expected"), [(0, 10, None), (5, None, None), (10, 10, 0), (11, 10, 0)])
def test_the_time_left_needs_both_figures(done: int, total: int | None, expected: int | None) -> None:
    """A reader that does not tell how far it is, a size that is not known; never less than nothing left."""
    moments = {"started_at": _START, "progressed_at": _START + timedelta(seconds=1)}

    assert (
        expected == progress_of(entry(records_done=1, bytes_done=done, bytes_total=total, **moments), None).eta_seconds
    )


def test_only_one_that_waits_has_a_place_in_the_queue() -> None:
    """Three are before it; once it runs nobody is."""
    waiting = entry(status=Status.RECEIVED, records_done=0, bytes_done=0)

    assert 3 == progress_of(waiting, 3).waiting_before
