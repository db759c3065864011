"""Import of a CSV file over HTTP, everything on, against both baselines in the same run.

    uv run python -m benchmarks.import_csv --rows 1000000

Cost model: the body is hashed and written once while it arrives; a worker process then reads it column-wise, validates,
appends rows in transactions of 10 000, and derives sightings, statistics and facets. Linear in the rows of the file.
Measured: wall time as the client sees it, from the first byte sent to the published report, on a fresh server each
time (median of the repeats), in turn with baseline (a), whose ratio is the median of the pairs; the same with every
column of the contract, and with a file without one valid row, where each row becomes a rejection with its bytes and
issues; peak resident memory of the importing process.
No-op controls: reading and hashing the file; importing the sample (what an import costs by itself).
"""

import statistics
from pathlib import Path

from benchmarks import baseline_plain, baseline_shell
from benchmarks.generate import Dataset, dataset
from benchmarks.measure import MB, Budget, Figure, Options, read_through, run_alone, seconds
from benchmarks.server import SAMPLE, Server

FLOOR = 100_000.0
MEMORY_MB = 600.0


def _import_once(file: Path) -> tuple[float, float]:
    """Return the seconds of one import on a fresh server, and the peak memory of its worker in MB."""
    with Server() as server:
        upload = server.upload(file)
        expected = {"published", "failed"}
        if upload.report["status"] not in expected:
            raise RuntimeError(f"unexpected outcome: {upload.report}")
        return upload.seconds, server.peak_memory()[0] / MB


def _imports(file: Path, repeats: int) -> tuple[float, float]:
    runs = [_import_once(file) for _ in range(repeats)]
    return statistics.median(took for took, _ in runs), max(memory for _, memory in runs)


def _fixed_cost() -> float:
    with Server() as server:
        return statistics.median(server.upload(SAMPLE).seconds for _ in range(5))


def run(options: Options) -> list[Figure]:
    """Measure and return the figures."""
    file = dataset(Dataset(options.rows))
    control = seconds(lambda: read_through(file))
    runs, shell = _side_by_side(file, options.repeats)
    took = statistics.median(each for each, _ in runs)
    memory = max(each for _, each in runs)
    rate = options.rows / took
    plain = options.rows / baseline_plain.timed_plain_import(file)
    return [
        Figure("import, 14 columns", rate, "rows/s", Budget(FLOOR, at_least=True)),
        Figure("peak memory of the importing process", memory, "MB", Budget(MEMORY_MB)),
        *_against_shell([each for each, _ in runs], shell, options.rows),
        Figure("baseline (b): csv + Pydantic + executemany", plain, "rows/s"),
        Figure("import against baseline (b)", rate / plain, "×"),
        *_other_files(options, rate),
        Figure("control: reading and hashing the file", control, "s"),
        Figure("control: importing the sample", _fixed_cost() * 1000, "ms"),
    ]


def _side_by_side(file: Path, repeats: int) -> tuple[list[tuple[float, float]], list[float]]:
    """Import and let the shell import in turn, so that both see the same moods of the machine."""
    runs, shell = [], []
    for _ in range(repeats):
        runs.append(_import_once(file))
        if baseline_shell.available():
            shell.append(baseline_shell.shell_import(file))
    return runs, shell


def _against_shell(took: list[float], shell: list[float], rows: int) -> list[Figure]:
    if not shell:
        print("no sqlite3 shell on this machine: baseline (a) is left out (Debian: apt-get install sqlite3)")
        return []
    ratio = statistics.median(theirs / ours for ours, theirs in zip(took, shell, strict=True))
    return [
        Figure("baseline (a): sqlite3 .import, legacy table and indexes", rows / statistics.median(shell), "rows/s"),
        Figure("import against baseline (a)", ratio, "×", Budget(1.0, at_least=True)),
    ]


def _other_files(options: Options, rate: float) -> list[Figure]:
    wide, _ = _imports(dataset(Dataset(options.rows, columns="all")), 1)
    invalid, memory = _imports(dataset(Dataset(options.rows, invalid_rate=1.0)), options.repeats)
    invalid_rate = options.rows / invalid
    return [
        Figure("import, all 22 columns", options.rows / wide, "rows/s"),
        Figure("import, 100 % invalid", invalid_rate, "rows/s"),
        Figure("100 % invalid against valid", invalid_rate / rate, "×", Budget(0.5, at_least=True)),
        Figure("peak memory, 100 % invalid", memory, "MB", Budget(MEMORY_MB)),
    ]


if __name__ == "__main__":
    run_alone(run, __doc__, "rows", "repeats")
