"""Memory of the importing process for a file that does not fit the usual size.

    uv run python -m benchmarks.big_file --big-rows 5000000

Cost model: the file is read in chunks, rows are written as they come, and what the audit needs of each row (38 bytes)
is spooled to disk beyond a limit. Memory should not depend on the rows of the file.
Measured: peak resident memory (VmHWM) of the worker process and of the server after one import, and its speed.
No-op control: the same processes after importing only the sample.
"""

from benchmarks.generate import Dataset, dataset
from benchmarks.measure import MB, Budget, Figure, Options, run_alone
from benchmarks.server import Server

MEMORY_MB = 600.0


def run(options: Options) -> list[Figure]:
    """Measure and return the figures."""
    wanted = Dataset(options.big_rows)
    with Server() as server:
        idle_worker, idle_server = server.peak_memory()
        file = dataset(wanted)
        upload = server.upload(file)
        if upload.report["status"] != "published":
            raise RuntimeError(f"unexpected outcome: {upload.report}")
        worker, own = server.peak_memory()
    return [
        Figure(
            f"peak memory of the importing process, {options.big_rows:,} rows", worker / MB, "MB", Budget(MEMORY_MB)
        ),
        Figure(f"peak memory of the server, {options.big_rows:,} rows", own / MB, "MB"),
        Figure("control: importing process, sample only", idle_worker / MB, "MB"),
        Figure("control: server, sample only", idle_server / MB, "MB"),
        Figure(f"import, {options.big_rows:,} rows", options.big_rows / upload.seconds, "rows/s"),
    ]


if __name__ == "__main__":
    run_alone(run, __doc__, "big_rows")
