"""What is derived from an import's accepted rows while they pass: sightings, statistics by model, facets, ranges.

Up to ``rows_in_memory`` rows are sorted in memory (five columns of 1M rows: 38 MB, 0.3 s), more of them on disk.
"""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Self

import polars as pl

from glyphd.ingest.records import IMPORT_INDEX
from glyphd.ingest.sorted_runs import SortedRun, merge
from glyphd.ingest.statistics import model_statistics

FACET_FIELDS = ("region", "seller", "condition", "source_type")
FACET_VALUES = 1_000
"""A field with more distinct values is not counted: it would neither prune imports nor fill a filter."""

SIGHTING_COLUMNS = ("canonical_model", "listing_key", IMPORT_INDEX, "price", "score")
_ORDER = SIGHTING_COLUMNS[:3]
_SIGHTING_ROWS = 100_000
_RANGE_ROWS = 400_000


class Derivation:
    """Collects accepted rows, then answers; bounded in memory whatever their number. A context manager.

    ``spool`` is the directory for rows that do not fit in memory; what is written there goes when the context is left.
    """

    def __init__(self, spool: Path, rows_in_memory: int = 1_000_000) -> None:
        self._spool = spool
        self._rows_in_memory = rows_in_memory
        self._directory: TemporaryDirectory[str] | None = None
        self._frames: list[pl.DataFrame] = []
        self._rows = 0
        self._runs: list[SortedRun] = []
        self._facets: dict[str, Counter[str] | None] = {name: Counter() for name in FACET_FIELDS}
        self._extremes = pl.DataFrame(schema={"price": pl.Float64, "score": pl.Float64})

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, at: TracebackType | None) -> None:
        """Remove what was spooled."""
        if self._directory is not None:
            self._directory.cleanup()

    def add(self, accepted: pl.DataFrame) -> None:
        """Take in accepted rows, in any number and order."""
        if accepted.is_empty():
            return
        self._count_facets(accepted)
        rows = accepted.select(SIGHTING_COLUMNS)
        numbers = rows.select("price", "score")
        self._extremes = pl.concat([self._extremes, numbers.min(), numbers.max()])
        if self._rows and self._rows + rows.height > self._rows_in_memory:
            self._write_run()
        self._frames.append(rows)
        self._rows += rows.height

    def sightings(self) -> Iterator[pl.DataFrame]:
        """Yield the rows by (canonical_model in UTF-8 byte order, listing_key, import_index), ≤ 100 000 a frame."""
        for rows in self._sorted():
            yield from rows.iter_slices(_SIGHTING_ROWS)

    def statistics(self) -> pl.DataFrame:
        """Return one row per model, sorted by model: prices in USD, percentiles interpolated linearly and exact."""
        return model_statistics(self._sorted())

    def facets(self) -> pl.DataFrame:
        """Return `field`, `value`, `listing_count` of every counted facet, most frequent values first."""
        counted = [
            (name, value, count)
            for name, values in self._facets.items()
            if values is not None
            for value, count in sorted(values.items(), key=lambda item: (-item[1], item[0]))
        ]
        schema = {"field": pl.String, "value": pl.String, "listing_count": pl.Int64}
        return pl.DataFrame(counted, schema=schema, orient="row")

    @property
    def uncounted_facets(self) -> list[str]:
        """The fields with more than 1000 distinct values."""
        return [name for name, values in self._facets.items() if values is None]

    @property
    def min_price(self) -> float | None:
        """The lowest accepted price in USD, or None without rows."""
        return self._extremes["price"].min()  # type: ignore[return-value]

    @property
    def max_price(self) -> float | None:
        """The highest accepted price in USD, or None without rows."""
        return self._extremes["price"].max()  # type: ignore[return-value]

    @property
    def min_score(self) -> float | None:
        """The lowest accepted score, or None without rows."""
        return self._extremes["score"].min()  # type: ignore[return-value]

    @property
    def max_score(self) -> float | None:
        """The highest accepted score, or None without rows."""
        return self._extremes["score"].max()  # type: ignore[return-value]

    def _count_facets(self, accepted: pl.DataFrame) -> None:
        for name, values in self._facets.items():
            if values is not None:
                counts = accepted[name].drop_nulls().value_counts()
                values.update(dict(counts.iter_rows()))
                if len(values) > FACET_VALUES:
                    self._facets[name] = None

    def _write_run(self) -> None:
        if self._directory is None:
            self._directory = TemporaryDirectory(prefix="derivation-", dir=self._spool)
        path = Path(self._directory.name) / f"{len(self._runs)}.arrow"
        self._runs.append(SortedRun.write(self._sorted_frames(), path))
        self._frames, self._rows = [], 0

    def _sorted_frames(self) -> pl.DataFrame:
        """Return the rows in memory in order, and keep them that way: sorting sorted rows is nearly free."""
        self._frames = [pl.concat(self._frames).sort(_ORDER)]
        return self._frames[0]

    def _sorted(self) -> Iterator[pl.DataFrame]:
        """Yield all rows in order, none of the frames empty."""
        if self._runs and self._frames:
            self._write_run()
        if self._runs:
            yield from merge(self._runs, _RANGE_ROWS)
        elif self._frames:
            yield self._sorted_frames()
