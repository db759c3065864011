"""What a look at an installation can find: what was looked at, how bad it is, and the words for figures."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum


class Check(StrEnum):
    """What was looked at."""

    DATABASE = "database"  # it can be reached, read and written
    INTEGRITY = "integrity"  # what its engine finds wrong with it
    SCHEMA = "schema"
    ARTIFACTS = "artifacts"
    LEASES = "leases"
    CLOCK = "clock"
    DISK = "disk"


class Level(StrEnum):
    """How bad it is: with a problem something does not work, with a warning it soon may not."""

    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was found, in one sentence, and what to do about it, in another; nothing when all is well."""

    check: Check
    level: Level
    found: str
    advice: str | None = None


RESTORE = "Stop everything that uses the database, and restore it and the artifact folder from a backup."
"""What to do about a database that is damaged, whichever engine says so."""


def spoken_span(span: timedelta) -> str:
    """Return how long, whichever way, in the unit in which it is two or more: `90 s`, `2 min`, `3 days`."""
    seconds = abs(span.total_seconds())
    for size, unit in ((86_400, "days"), (3_600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"


def spoken_bytes(number: float) -> str:
    """Return a number of bytes in the largest unit in which it is one or more: `512 B`, `1.5 GiB`."""
    for unit in ("B", "KiB", "MiB", "GiB"):
        if number < 1024:
            return f"{number:.0f} B" if unit == "B" else f"{number:.1f} {unit}"
        number /= 1024
    return f"{number:.1f} TiB"


def spoken_count(number: int, noun: str) -> str:
    """Return `1 import`, `3 imports`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


class Names:
    """Counts names, and shows the first few."""

    SHOWN = 3

    def __init__(self, names: Iterable[str] = ()) -> None:
        """Begin with some names; they are not kept."""
        self.count = 0
        self._first: list[str] = []
        for name in names:
            self.add(name)

    def add(self, name: str) -> None:
        """Count one more."""
        self.count += 1
        if self.count <= self.SHOWN:
            self._first.append(name)

    def __str__(self) -> str:
        return ", ".join(self._first + ["…"] * (self.count > self.SHOWN))
