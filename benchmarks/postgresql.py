"""The same service on PostgreSQL: import, two at once, and reading meanwhile, against a bare COPY of the same file.

    uv run python -m benchmarks.postgresql --rows 1000000

Cost model: as on SQLite, but rows go in by binary COPY, and the server of the database works on the same cores. Rows,
sightings and their two B-trees are written to the log as well, which the server syncs at every receipt and publication.
Measured: wall time as the client sees it, from the first byte sent to the published report, on a fresh database each
time (median of the repeats), in turn with the baseline, whose ratio is the median of the pairs; two imports at once
with two workers against one alone; `GET /api/listings?limit=100` during an import against an idle server. The server
is the installed one, `fsync` on, with the settings that `docs/how-to/run-on-postgresql.md` recommends for its size.
Baseline: `COPY … FROM STDIN (FORMAT csv)` of the same file in one transaction into a table of text columns without any
key: nothing is checked, converted or derived.
No-op control: reading and hashing the file.
"""

import statistics
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import psycopg

from benchmarks import read_latency
from benchmarks.generate import Dataset, dataset
from benchmarks.measure import MB, Budget, Figure, Options, read_through, run_alone, seconds
from benchmarks.server import Server
from tools.postgres import SAFE, PostgresMissingError, PostgresServer

FLOOR = 100_000.0
MEMORY_MB = 600.0


def run(options: Options) -> list[Figure]:
    """Measure and return the figures."""
    try:
        with PostgresServer(SAFE) as server:
            return [*_imports(server, options), *_two_at_once(server, options), *_reading(server, options)]
    except PostgresMissingError as missing:
        print(f"no figures of PostgreSQL: {missing}")
        return []


@contextmanager
def _glyphd(server: PostgresServer, import_workers: int = 1) -> Iterator[Server]:
    """Serve over a fresh database."""
    name = f"bench_{uuid4().hex[:8]}"
    with psycopg.connect(server.url(), autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name}")
        with Server(server.url(name), import_workers) as running:
            yield running
        admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


def _imports(server: PostgresServer, options: Options) -> Iterator[Figure]:
    file = dataset(Dataset(options.rows))
    control = seconds(lambda: read_through(file))
    took, bare, memory = [], [], []
    for _ in range(options.repeats):
        with _glyphd(server) as running:
            upload = running.upload(file)
            if upload.report["status"] != "published":
                raise RuntimeError(f"unexpected outcome: {upload.report}")
            took.append(upload.seconds)
            memory.append(running.peak_memory()[0] / MB)
        bare.append(_copy(server, file))
    ratio = statistics.median(theirs / ours for ours, theirs in zip(took, bare, strict=True))
    yield Figure("import, 14 columns", options.rows / statistics.median(took), "rows/s", Budget(FLOOR, at_least=True))
    yield Figure("peak memory of the importing process", max(memory), "MB", Budget(MEMORY_MB))
    yield Figure("baseline: bare COPY of the same file", options.rows / statistics.median(bare), "rows/s")
    yield Figure("import against the baseline", ratio, "×")
    yield Figure("control: reading and hashing the file", control, "s")


def _copy(server: PostgresServer, file: Path) -> float:
    """Return the seconds that a bare COPY of a file takes."""
    with psycopg.connect(server.url()) as connection, file.open("rb") as opened:
        header = opened.readline().decode().strip()
        connection.execute(f"CREATE TABLE bare ({', '.join(f'{name} text' for name in header.split(','))})")
        connection.commit()

        def copy() -> None:
            with connection.cursor().copy(f"COPY bare ({header}) FROM STDIN (FORMAT csv)") as sink:
                while portion := opened.read(1 << 18):
                    sink.write(portion)
            connection.commit()

        took = seconds(copy)
        connection.execute("DROP TABLE bare")
    return took


def _two_at_once(server: PostgresServer, options: Options) -> Iterator[Figure]:
    """Two crawls of two sources, one after the other with one worker, and both at once with two."""
    files = [dataset(Dataset(options.rows, seed=seed)) for seed in (1, 2)]
    with _glyphd(server) as running:
        alone = sum(running.upload(file, source).seconds for file, source in zip(files, "ab", strict=True))
    with _glyphd(server, import_workers=2) as running, ThreadPoolExecutor(2) as pool:
        together = seconds(lambda: list(pool.map(running.upload, files, "ab")))
    yield Figure("two imports at once, two workers", 2 * options.rows / together, "rows/s")
    yield Figure("two at once against one after the other", alone / together, "×")


def _reading(server: PostgresServer, options: Options) -> list[Figure]:
    with _glyphd(server) as running:
        return read_latency.figures(running, options)


if __name__ == "__main__":
    run_alone(run, __doc__, "rows", "repeats")
