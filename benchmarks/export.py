"""How fast all rows of one 1M-row import come as Parquet over HTTP, and as a lake, on SQLite.

    uv run python -m benchmarks.export --rows 1000000

Cost model: SQLite prints a stretch of rows as CSV in one thread, pyarrow parses the one before in another, where its
keys are hashed (the interpreter's only share), and Parquet is compressed in the thread that sends it.
Measured: wall time from the request to the last byte, the median of the repeats; rows a second.
No-op control: downloading the artifact of the import, which is only read and sent.
"""

import statistics
import time
from pathlib import Path

import httpx

from benchmarks.generate import Dataset, dataset
from benchmarks.measure import MB, Budget, Figure, Options, run_alone
from benchmarks.server import Server

PARQUET = 300_000.0


def run(options: Options) -> list[Figure]:
    """Measure and return the figures."""
    figures = []
    with Server() as server:
        import_id = server.upload(dataset(Dataset(options.rows))).report["import_id"]
        _, server_before = server.peak_memory()
        for form in ("parquet", "csv", "ndjson"):
            taken = [
                _download(server, f"/api/listings?import_id={import_id}&format={form}") for _ in range(options.repeats)
            ]
            budget = Budget(PARQUET, at_least=True) if form == "parquet" else None
            figures.append(Figure(f"export as {form}", options.rows / statistics.median(taken), "rows/s", budget))
        _, server_after = server.peak_memory()
        control = _download(server, f"/api/imports/{import_id}/artifact")
    return [
        *figures,
        Figure("memory of the server that exporting added", (server_after - server_before) / MB, "MB"),
        Figure("control: downloading the artifact", control, "s"),
    ]


def _download(server: Server, path: str) -> float:
    start = time.perf_counter()
    with httpx.stream("GET", server.base + path, timeout=600) as answer, Path("/dev/null").open("wb") as nowhere:
        answer.raise_for_status()
        for portion in answer.iter_raw():
            nowhere.write(portion)
    return time.perf_counter() - start


if __name__ == "__main__":
    run_alone(run, __doc__, "rows", "repeats")
