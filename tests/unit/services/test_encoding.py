"""Frames as files: every format holds the same rows, portion by portion."""

import csv
import io
from collections.abc import Iterator
from datetime import UTC, datetime

import msgspec
import polars as pl
import pytest

from glyphd.domain.report import ExportFormat
from glyphd.services.encoding import encoded

SCHEMA = pl.Schema(
    {
        "name": pl.String,
        "price": pl.Float64,
        "count": pl.Int64,
        "nvlink": pl.Boolean,
        "seen_at": pl.Datetime("us", "UTC"),
    }
)
ROWS = [
    ("a", 0.1, 1, True, datetime(2026, 7, 1, tzinfo=UTC)),
    ('quoted " and, \n=1+1', 1e22, 2**53 + 1, False, datetime(2026, 7, 1, 12, 0, 0, 250, tzinfo=UTC)),
    (None, None, None, None, None),
]
FRAMES = [pl.DataFrame([row], SCHEMA, orient="row") for row in ROWS]
MOMENTS = ["2026-07-01T00:00:00Z", "2026-07-01T12:00:00.000250Z", None]


def written(form: ExportFormat, frames: list[pl.DataFrame]) -> bytes:
    """Return the whole file."""
    return b"".join(encoded(form, frames, SCHEMA))


def test_csv() -> None:
    """A null is an empty cell, and a moment RFC 3339."""
    header, *rows = csv.reader(io.StringIO(written(ExportFormat.CSV, FRAMES).decode(), newline=""))

    assert SCHEMA.names() == header
    assert ["a", "0.1", "1", "true", MOMENTS[0]] == rows[0]
    assert [ROWS[1][0], 1e22, str(2**53 + 1), "false", MOMENTS[1]] == [rows[1][0], float(rows[1][1]), *rows[1][2:]]
    assert ["", "", "", "", ""] == rows[2]


def test_ndjson() -> None:
    """One object a line, nulls kept, a moment RFC 3339."""
    lines = written(ExportFormat.NDJSON, FRAMES).splitlines()

    assert [
        dict(zip(SCHEMA.names(), (*row[:4], moment), strict=True)) for row, moment in zip(ROWS, MOMENTS, strict=True)
    ] == [msgspec.json.decode(line) for line in lines]


def test_parquet() -> None:
    """Types and values come back as they were."""
    read = pl.read_parquet(io.BytesIO(written(ExportFormat.PARQUET, FRAMES)))

    assert SCHEMA == read.schema
    assert ROWS == read.rows()


@pytest.mark.parametrize(
    ("form", "empty"), [(ExportFormat.CSV, b"name,price,count,nvlink,seen_at\n"), (ExportFormat.NDJSON, b"")]
)
def test_no_rows_as_text(form: ExportFormat, empty: bytes) -> None:
    """A file of no rows is one all the same."""
    assert empty == written(form, [])


def test_no_rows_as_parquet() -> None:
    """A file of no rows has its columns."""
    assert SCHEMA == pl.read_parquet(io.BytesIO(written(ExportFormat.PARQUET, []))).schema


@pytest.mark.parametrize("form", ExportFormat)
def test_portions_come_as_they_are_made(form: ExportFormat) -> None:
    """The first rows are out before the last frame is asked for."""
    asked: list[int] = []

    def frames() -> Iterator[pl.DataFrame]:
        for number, frame in enumerate(FRAMES * 100):
            asked.append(number)
            yield frame

    portions = encoded(form, frames(), SCHEMA)
    next(portions)
    next(portions)

    assert len(asked) <= 2
