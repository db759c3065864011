"""The cost of one import against the size of the archive it joins.

    uv run python -m benchmarks.archive_growth --imports 20 --rows 1000000

Cost model: every tree an import writes to is keyed by the import first, so it grows at its right edge and the pages it
touches are its own. An import should cost the same whatever lies in the database already.
Measured: imports of different crawls of the same size, one after the other, on one server; the last against the first,
and the median of the last three against that of the first three. The server has imported the sample before, so that
the first import does not pay for starting a process.
No-op control: reading and hashing each file (a disk that slows down would show here).
"""

import statistics
from functools import partial

from benchmarks.generate import Dataset, dataset
from benchmarks.measure import Budget, Figure, Options, read_through, run_alone, seconds
from benchmarks.server import Server

GROWTH = 1.3
FIRST_SEED = 100


def _edges(samples: list[float]) -> float:
    width = min(3, len(samples))
    return statistics.median(samples[-width:]) / statistics.median(samples[:width])


def run(options: Options) -> list[Figure]:
    """Measure and return the figures."""
    took, control = [], []
    with Server() as server:
        for number in range(options.imports):
            wanted = Dataset(options.rows, seed=FIRST_SEED + number)
            file = dataset(wanted)
            control.append(seconds(partial(read_through, file)))
            took.append(server.upload(file).seconds)
            print(f"import {number + 1:3} of {options.imports}: {options.rows / took[-1]:,.0f} rows/s", flush=True)
            file.unlink()
    return [
        Figure("first import", options.rows / took[0], "rows/s"),
        Figure(f"import {options.imports}", options.rows / took[-1], "rows/s"),
        Figure("time of the last import against the first", took[-1] / took[0], "×", Budget(GROWTH)),
        Figure("time of the last three against the first three", _edges(took), "×"),
        Figure("control: reading the last three files against the first three", _edges(control), "×"),
    ]


if __name__ == "__main__":
    run_alone(run, __doc__, "rows", "imports")
