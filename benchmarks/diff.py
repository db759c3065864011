"""How long the summary of the difference of two 1M-row imports takes, over HTTP, on SQLite.

    uv run python -m benchmarks.diff --rows 1000000

Cost model: both imports' sightings are read in the order they are kept in (0.6 s per 1M rows, most of it the driver's),
sorted by price where rows share a key, and paired by bisection, some models at a time. Nothing is stored, so that a
second request costs the same.
Measured: wall time of `GET …/diff?limit=1` as the client sees it, the median of the repeats; half of the offers of the
two files are the same.
No-op control: the first row of each model's statistics, which the report of the import reads.
"""

import statistics

from benchmarks.generate import Dataset, dataset
from benchmarks.measure import Budget, Figure, Options, run_alone, seconds
from benchmarks.server import Server

SUMMARY = 2.0


def run(options: Options) -> list[Figure]:
    """Measure and return the figures."""
    with Server() as server:
        first, second = (server.upload(dataset(Dataset(options.rows, seed=seed))).report for seed in (1, 2))
        path = f"/api/imports/{second['import_id']}"
        taken = [seconds(lambda: server.get(f"{path}/diff", limit=1)) for _ in range(max(3, options.repeats))]
        control = [seconds(lambda: server.get(path)) for _ in range(3)]
        found = server.get(f"{path}/diff", limit=1)
    assert first["import_id"] == found["base"]["import_id"]
    paired = sum(found["summary"][name] for name in ("price_up", "price_down", "score_changed", "unchanged"))
    return [
        Figure("diff of two imports: summary", statistics.median(taken), "s", Budget(SUMMARY)),
        Figure("diff of two imports: offers in both", paired, "rows"),
        Figure("control: the report of the import", statistics.median(control) * 1000, "ms"),
    ]


if __name__ == "__main__":
    run_alone(run, __doc__, "rows", "repeats")
