"""Encode frames of rows as CSV, NDJSON or Parquet, portion by portion, in memory that does not grow with them."""

import io
from collections.abc import Generator, Iterable
from itertools import chain
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from glyphd.domain.report import ExportFormat


def encoded(form: ExportFormat, frames: Iterable[pl.DataFrame], schema: pl.Schema) -> Generator[bytes, None, None]:
    """Yield the bytes of one file; the frames have this schema, and without any it is a file of no rows.

    In CSV and NDJSON moments (UTC) are RFC 3339, as the API writes them; a null is an empty cell in CSV.
    """
    if form is ExportFormat.PARQUET:
        return _parquet(frames, schema)
    return _csv(frames, schema) if form is ExportFormat.CSV else _ndjson(frames)


def _csv(frames: Iterable[pl.DataFrame], schema: pl.Schema) -> Generator[bytes, None, None]:
    yield schema.to_frame().write_csv().encode()
    for frame in frames:
        yield _with_moments_as_text(frame).write_csv(include_header=False).encode()


def _ndjson(frames: Iterable[pl.DataFrame]) -> Generator[bytes, None, None]:
    for frame in frames:
        yield _with_moments_as_text(frame).write_ndjson().encode()


def _with_moments_as_text(frame: pl.DataFrame) -> pl.DataFrame:
    moments = [name for name, kind in frame.schema.items() if isinstance(kind, pl.Datetime)]
    text = pl.col(moments).dt.strftime("%Y-%m-%dT%H:%M:%S%.6fZ").str.replace(".000000Z", "Z", literal=True)
    return frame.with_columns(text)


def _parquet(frames: Iterable[pl.DataFrame], schema: pl.Schema) -> Generator[bytes, None, None]:
    """Write a row group for each frame; what is written so far is handed on after each."""
    sink = _Sink()
    arrow = schema.to_frame().to_arrow().schema
    coming = iter(frames)
    first = next(coming, schema.to_frame())
    # Types of Parquet only: all engines agree.
    repeating = _repeating(first)
    ranges = [name for name, kind in schema.items() if name in repeating or kind != pl.String]  # of URLs nobody asks
    options: dict[str, Any] = {
        "compression": "zstd",
        "store_schema": False,
        "use_dictionary": repeating,
        "write_statistics": ranges,
    }
    with pq.ParquetWriter(pa.PythonFile(sink, mode="w"), arrow, **options) as writer:
        for frame in chain([first], coming):
            writer.write_table(frame.to_arrow().cast(arrow))
            yield sink.taken()
    yield sink.taken()


def _repeating(frame: pl.DataFrame) -> list[str]:
    """Return the columns whose values repeat.

    With dictionaries of the others too it took 1.4 of the time and 1.2 of the bytes.
    """
    return [column.name for column in frame if column.n_unique() * 2 <= len(column)]


class _Sink(io.RawIOBase):
    """Takes what is written, until it is taken out."""

    def __init__(self) -> None:
        self._portions: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, portion: object) -> int:
        taken = bytes(portion)  # type: ignore[call-overload] # any buffer: pyarrow hands over bytes or its own
        self._portions.append(taken)
        return len(taken)

    def taken(self) -> bytes:
        portions, self._portions = self._portions, []
        return b"".join(portions)
