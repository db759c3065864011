"""Import of the same records in every format and compression, each against CSV in the same run.

    uv run python -m benchmarks.formats --rows 1000000

Cost model: receipt, insertion and derivation are those of a CSV; only reading differs. CSV and TSV are cut by pyarrow,
Parquet is columns already, JSON and NDJSON are cut at their quotes and commas while records are alike, and a compressed
file is decompressed before it is read.
Measured: wall time as the client sees it, from the first byte sent to the published report, on one warm server, the
formats in turn so that all see the same moods of the machine; each ratio is the median over the repeats.
No-op control: reading and hashing the largest of the files.
"""

import gzip
import shutil
import statistics
import sys
from collections.abc import Callable
from pathlib import Path

import polars as pl

from benchmarks.generate import Dataset, dataset
from benchmarks.measure import Budget, Figure, Options, read_through, run_alone, seconds
from benchmarks.server import Server

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

HALF = 0.5
INTEGERS = ("vram_gb", "tdp_watts", "mig_support")

WRITERS: dict[str, Callable[[pl.DataFrame, Path], object]] = {
    ".tsv": lambda frame, path: frame.write_csv(path, separator="\t"),
    ".json": lambda frame, path: frame.write_json(path),
    ".ndjson": lambda frame, path: frame.write_ndjson(path),
    ".parquet": lambda frame, path: frame.write_parquet(path),
}


def _typed(file: Path) -> pl.DataFrame:
    """Return the records of a CSV as a program has them: numbers, booleans, and null for an empty cell."""
    frame = pl.read_csv(file, infer_schema=False)
    return frame.with_columns(
        pl.col(INTEGERS).cast(pl.Int64),
        pl.col("score").cast(pl.Float64),
        pl.col("price").str.replace_all("[$,]", "").cast(pl.Float64),
        pl.col("nvlink").str.to_lowercase().is_in(["true", "1", "yes"]),
    )


def _written(file: Path) -> dict[str, Path]:
    """Return the same records as files of every kind, by name; kept beside the CSV."""
    files = {"CSV": file} | {suffix[1:].upper(): file.with_suffix(suffix) for suffix in WRITERS}
    files |= {"CSV in gzip": Path(f"{file}.gz"), "CSV in Zstandard": Path(f"{file}.zst")}
    if not all(path.exists() for path in files.values()):
        frame = _typed(file)
        for suffix, write in WRITERS.items():
            write(frame, file.with_suffix(suffix))
        for suffix, opened in ((".gz", gzip.open), (".zst", zstd.open)):
            with file.open("rb") as plain, opened(f"{file}{suffix}", "wb") as packed:
                shutil.copyfileobj(plain, packed)
    return files


def run(options: Options) -> list[Figure]:
    """Measure and return the figures."""
    files = _written(dataset(Dataset(options.rows)))
    took: dict[str, list[float]] = {name: [] for name in files}
    with Server() as server:
        for _ in range(options.repeats):
            for name, file in files.items():
                upload = server.upload(file, source=name)
                if upload.report["count"] != options.rows:
                    raise RuntimeError(f"unexpected outcome: {upload.report}")
                took[name].append(upload.seconds)
    ratios = {name: _ratio(took["CSV"], took[name]) for name in files if name != "CSV"}
    return [
        *(Figure(f"import, {name}", options.rows / statistics.median(took[name]), "rows/s") for name in files),
        *(Figure(f"{name} against CSV", ratio, "×", Budget(HALF, at_least=True)) for name, ratio in ratios.items()),
        Figure("control: reading and hashing the JSON file", seconds(lambda: read_through(files["JSON"])), "s"),
    ]


def _ratio(base: list[float], other: list[float]) -> float:
    return statistics.median(ours / theirs for ours, theirs in zip(base, other, strict=True))


if __name__ == "__main__":
    run_alone(run, __doc__, "rows", "repeats")
