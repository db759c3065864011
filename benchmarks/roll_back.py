"""How long publishing, rolling back and restoring an import take, whatever its size and beside a running import.

    uv run python -m benchmarks.roll_back --rows 1000000

Cost model: one row of the ledger is updated and one event written, in one durable transaction: a commit's fsync, and
while an import runs the wait for the writer's turn. No row of the import is touched.
Measured: wall time of `POST …/rollback` and `…/restore` over HTTP as the client sees it, medians and the longest.
No-op control: rolling back again what is rolled back, which writes nothing.
"""

import statistics
import time
from concurrent.futures import ThreadPoolExecutor

from benchmarks.generate import Dataset, dataset
from benchmarks.measure import Budget, Figure, Options, percentile, run_alone, seconds
from benchmarks.server import Server

AT_REST, BESIDE_AN_IMPORT = 50.0, 200.0
TIMES = 20
PAUSE_SECONDS = 0.1


def run(options: Options) -> list[Figure]:
    """Measure and return the figures."""
    with Server() as server:
        held = server.upload(dataset(Dataset(options.rows)), publish="hold").report["import_id"]
        small = server.upload(dataset(Dataset(1000, seed=9))).report["import_id"]
        published = _milliseconds(server, held, "publish")
        resting = [_milliseconds(server, held, verb) for _ in range(TIMES) for verb in ("rollback", "restore")]
        tiny = [_milliseconds(server, small, verb) for _ in range(TIMES) for verb in ("rollback", "restore")]
        _milliseconds(server, held, "rollback")
        again = [_milliseconds(server, held, "rollback") for _ in range(TIMES)]
        beside = _beside_an_import(server, held, options)
    return [
        Figure("publishing what was held", published, "ms", Budget(AT_REST)),
        Figure("roll back and restore: median", statistics.median(resting), "ms", Budget(AT_REST)),
        Figure("roll back and restore: longest", max(resting), "ms"),
        Figure("roll back and restore, 1,000 rows: median", statistics.median(tiny), "ms"),
        Figure("roll back and restore during an import: median", statistics.median(beside), "ms"),
        Figure("roll back and restore during an import: p95", percentile(beside, 0.95), "ms", Budget(BESIDE_AN_IMPORT)),
        Figure("control: rolling back again", statistics.median(again), "ms"),
    ]


def _milliseconds(server: Server, import_id: str, verb: str) -> float:
    return seconds(lambda: server.change(import_id, verb)) * 1000


def _beside_an_import(server: Server, import_id: str, options: Options) -> list[float]:
    """Roll back and restore one import for as long as another one of the same size is being imported."""
    found = []
    with ThreadPoolExecutor(1) as pool:
        upload = pool.submit(server.upload, dataset(Dataset(options.rows, seed=2)))
        while not upload.done():
            found += [_milliseconds(server, import_id, verb) for verb in ("restore", "rollback")]
            time.sleep(PAUSE_SECONDS)
        upload.result()
    return found


if __name__ == "__main__":
    run_alone(run, __doc__, "rows")
