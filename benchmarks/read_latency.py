"""How long `GET /api/listings?limit=100` takes while a 1M-row import runs, against an idle server.

    uv run python -m benchmarks.read_latency --rows 1000000

Cost model: a page is read by an index prefix in one read transaction that writers do not block (WAL); the import is
another process. What is left is that both want the same cores.
Measured: a client process of its own with one connection asks, waits 5 ms, asks again; nearest-rank percentiles over
all samples of all repeats. Idle: the server holds one import of the same size. Busy: from the first byte of the next
upload until it is published.
No-op control: the same for `GET /livez`, which touches no database: what the shared cores alone cost.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from benchmarks.generate import Dataset, dataset
from benchmarks.measure import Budget, Figure, Options, percentile, run_alone
from benchmarks.server import Server

PAGE, CONTROL = "/api/listings?limit=100", "/livez"
RATIO = 2.0
IDLE_SECONDS = 8.0


@dataclass(slots=True)
class Samples:
    """Milliseconds a request, by path."""

    by_path: dict[str, list[float]] = field(default_factory=lambda: {PAGE: [], CONTROL: []})

    def add(self, more: dict[str, list[float]]) -> None:
        """Take the samples of one client run in."""
        for path, values in more.items():
            self.by_path[path] += values


@contextmanager
def _client(server: Server, samples: Samples) -> Iterator[None]:
    """Ask beside the `with` block, and keep how long the answers took."""
    command = [sys.executable, "-m", "benchmarks.latency_client", str(server.port), PAGE, CONTROL]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as client:
        assert client.stdout
        assert client.stdout.readline() == "asking\n"
        yield
        answer, _ = client.communicate("stop\n")
        samples.add(json.loads(answer))


def run(options: Options) -> list[Figure]:
    """Measure and return the figures."""
    with Server() as server:
        return figures(server, options)


def figures(server: Server, options: Options) -> list[Figure]:
    """Measure a server that has imported next to nothing, and return the figures."""
    idle, busy = Samples(), Samples()
    server.upload(dataset(Dataset(options.rows)))
    for number in range(options.repeats):
        file = dataset(Dataset(options.rows, seed=2 + number))
        with _client(server, idle):
            subprocess.run(["sleep", str(IDLE_SECONDS)], check=True)
        with _client(server, busy):
            server.upload(file)
    return [
        *_figures("page of 100 listings", PAGE, idle, busy, RATIO),
        *_figures("control: /livez", CONTROL, idle, busy),
    ]


def _figures(name: str, path: str, idle: Samples, busy: Samples, ratio: float | None = None) -> list[Figure]:
    resting, working = idle.by_path[path], busy.by_path[path]
    p99 = percentile(resting, 0.99), percentile(working, 0.99)
    budget = Budget(ratio) if ratio else None
    return [
        Figure(f"{name}: p50 idle", percentile(resting, 0.5), "ms"),
        Figure(f"{name}: p50 during an import", percentile(working, 0.5), "ms"),
        Figure(f"{name}: p99 idle", p99[0], "ms"),
        Figure(f"{name}: p99 during an import", p99[1], "ms"),
        Figure(f"{name}: p99 during an import against idle", p99[1] / p99[0], "×", budget),
        Figure(f"{name}: samples during imports", len(working), ""),
    ]


if __name__ == "__main__":
    run_alone(run, __doc__, "rows", "repeats")
