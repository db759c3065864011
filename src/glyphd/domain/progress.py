"""How far a worker has come with an import, from what the ledger says and nothing else: equal state, equal figures."""

import math
from dataclasses import dataclass
from datetime import datetime

from glyphd.domain.imports import Import, Status


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a worker has come with an import that is not finished.

    Bytes are those of the submitted files. What nobody can tell yet is null: the rate and the time left before the
    first records are stored, ``waiting_before``, the imports that are taken up before this one, once it runs.
    """

    records_done: int
    bytes_done: int
    bytes_total: int | None
    records_per_second: float | None
    eta_seconds: int | None
    waiting_before: int | None
    attempts: int
    started_at: datetime | None


def progress_of(entry: Import, waiting_before: int | None) -> Progress:
    """Work out how far an import has come."""
    seconds = _seconds(entry)
    return Progress(
        records_done=entry.records_done,
        bytes_done=entry.bytes_done,
        bytes_total=entry.bytes_total,
        records_per_second=round(entry.records_done / seconds, 1) if seconds and entry.records_done else None,
        eta_seconds=_eta(entry, seconds),
        waiting_before=waiting_before if entry.status is Status.RECEIVED else None,
        attempts=entry.attempts,
        started_at=entry.started_at,
    )


def _seconds(entry: Import) -> float:
    """Return how long the run had taken when its progress was counted; 0 when that is not known."""
    if entry.started_at is None or entry.progressed_at is None:
        return 0
    return max(0, (entry.progressed_at - entry.started_at).total_seconds())  # a clock may have stepped back


def _eta(entry: Import, seconds: float) -> int | None:
    if not (seconds and entry.bytes_done and entry.bytes_total):
        return None
    return math.ceil(seconds * max(0, entry.bytes_total - entry.bytes_done) / entry.bytes_done)
