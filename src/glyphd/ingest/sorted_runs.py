"""An external sort: rows that do not fit in memory are kept in sorted runs on disk and read back range by range.

A run is one Arrow IPC file of record batches of 8192 rows. The first row of every batch is remembered; from these
samples come the limits of ranges that are small enough for memory, however the rows are distributed. Every range is
read from every run, at most one batch too many at either end.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import polars as pl
import pyarrow as pa

_BATCH_ROWS = 8_192

Key = tuple[str, int, int]


@dataclass(frozen=True, slots=True)
class SortedRun:
    """Rows on disk, sorted by their first three columns. ``firsts`` are the keys of the first row of every batch."""

    path: Path
    firsts: list[Key]

    @classmethod
    def write(cls, rows: pl.DataFrame, path: Path) -> "SortedRun":
        """Write sorted rows to a new file."""
        table = rows.to_arrow(compat_level=pl.CompatLevel.oldest())
        with pa.ipc.new_file(path, table.schema) as writer:
            writer.write_table(table, max_chunksize=_BATCH_ROWS)
        return cls(path, rows.select(rows.columns[:3]).gather_every(_BATCH_ROWS).rows())

    def between(self, low: Key | None, high: Key | None) -> pl.DataFrame:
        """Return the batches with the rows from ``low`` up to but not including ``high``, and their neighbours."""
        first = max(bisect_right(self.firsts, low) - 1, 0) if low else 0
        last = bisect_left(self.firsts, high) if high else len(self.firsts)
        with pa.OSFile(str(self.path)) as file:
            reader = pa.ipc.open_file(file)
            table = pa.Table.from_batches([reader.get_batch(i) for i in range(first, last)], reader.schema)
        return pl.DataFrame(table)


def merge(runs: Sequence[SortedRun], range_rows: int) -> Iterator[pl.DataFrame]:
    """Yield all rows of some runs in order, in frames of about ``range_rows`` rows."""
    samples = sorted(key for run in runs for key in run.firsts)
    step = max(range_rows // _BATCH_ROWS, 1)
    limits: list[Key | None] = [None, *samples[step::step], None]
    for low, high in pairwise(limits):
        rows = pl.concat([run.between(low, high) for run in runs])
        columns = rows.columns[:3]
        rows = rows.filter(_at_least(columns, low), ~_at_least(columns, high) if high else pl.lit(value=True))
        yield rows.sort(columns)


def _at_least(columns: Sequence[str], key: Key | None) -> pl.Expr:
    """Compare rows with a key, column by column."""
    if key is None:
        return pl.lit(value=True)
    (first, second, third), (a, b, c) = map(pl.col, columns), key
    return (first > a) | ((first == a) & ((second > b) | ((second == b) & (third >= c))))
