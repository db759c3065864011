"""What every benchmark reports in, and how memory, time and the machine are read."""

import argparse
import hashlib
import os
import platform
import sqlite3
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields
from pathlib import Path

MB = 1_000_000


@dataclass(frozen=True, slots=True)
class Budget:
    """A promise of DESIGN §10: the figure must be at least or at most ``limit``, in the figure's unit."""

    limit: float
    at_least: bool = False

    def met_by(self, value: float) -> bool:
        """Tell whether the promise is kept."""
        return value >= self.limit if self.at_least else value <= self.limit


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured number. Without a budget it only explains the others."""

    name: str
    value: float
    unit: str
    budget: Budget | None = None


@dataclass(frozen=True, slots=True)
class Options:
    """How big everything is; `make bench` takes these defaults."""

    rows: int = 1_000_000
    repeats: int = 3
    imports: int = 20
    big_rows: int = 5_000_000


def run_alone(run: Callable[[Options], list[Figure]], description: str | None, *names: str) -> None:
    """Run one benchmark from the command line, with the options it knows, and print its figures."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    for option in fields(Options):
        if option.name in names:
            parser.add_argument(f"--{option.name.replace('_', '-')}", type=int, default=option.default)
    print_figures(run(Options(**vars(parser.parse_args()))))


def print_figures(figures: Iterable[Figure]) -> None:
    """Print figures for people, one a line."""
    for figure in figures:
        print(f"{figure.name:66} {figure.value:12,.2f} {figure.unit}", flush=True)


def seconds(call: Callable[[], object]) -> float:
    """Return how long a call takes, in seconds of wall time."""
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def percentile(samples: Iterable[float], share: float) -> float:
    """Return the nearest-rank percentile: one of the samples, never a value between two."""
    ranked = sorted(samples)
    return ranked[min(len(ranked) - 1, int(share * len(ranked)))]


def read_through(file: Path) -> None:
    """Read and hash a file: the no-op control of an import, and it warms the page cache for all alike."""
    with file.open("rb") as opened:
        hashlib.file_digest(opened, "sha256")


def peak_memory(pid: int) -> int:
    """Return the largest resident memory a living process ever had, in bytes (Linux). 0 when it is gone."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM")), 0)


def descendants(pid: int) -> set[int]:
    """Return the ids of all living processes below one (Linux)."""
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(stat.parent.name)] = int(stat.read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
    found, todo = set[int](), [pid]
    while todo:
        above = todo.pop()
        below = {child for child, parent in parents.items() if parent == above}
        todo += below - found
        found |= below
    return found


def machine() -> str:
    """Return one line about where the figures come from."""
    cpus = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    model = next((line.partition(":")[2].strip() for line in cpus if line.startswith("model name")), platform.machine())
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1024**3
    return (
        f"{len(os.sched_getaffinity(0))} cores ({model}), {memory:.0f} GiB memory, {platform.system()} "
        f"{platform.release()}, Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}"
    )
