"""Many rows at a time, as typed columns; only imports whose every value is of its column's type are read so."""

import sys
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
from pyarrow import compute
from sqlalchemy import ColumnElement, Connection, Select, func, null, select, type_coerce
from sqlalchemy.types import NullType

from glyphd.domain.listing import FieldType
from glyphd.store.reading_processes import Query
from glyphd.store.tables import scored_listings
from glyphd.store.values import INT32

_TYPES: dict[FieldType, tuple[Any, Any]] = {
    FieldType.INTEGER: (pa.int64(), pl.Int64()),
    FieldType.NUMBER: (pa.float64(), pl.Float64()),
    FieldType.BOOLEAN: (pa.bool_(), pl.Boolean()),
    FieldType.TIMESTAMP: (pa.timestamp("us"), pl.Datetime("us", "UTC")),
}
"""As what columns come from SQLite, and what they are to us; moments are UTC, which SQLite does not say."""

_TEXT = pa.string(), pl.String()
_STORED_AS_TEXT = {FieldType.TEXT, FieldType.URL, FieldType.TIMESTAMP}
_RANGES = {
    FieldType.INTEGER: INT32,
    FieldType.BOOLEAN: (0, 1),
    FieldType.NUMBER: (-sys.float_info.max, sys.float_info.max),
    FieldType.TIMESTAMP: (-62_135_596_800_000_000, 253_402_300_799_999_999),  # microseconds: the years 1 to 9999
}
"""What readers are shown a value in; of all others nothing, as :mod:`glyphd.store.values` says."""

_LEFT_OUT = "left out"


def typed_query(
    kinds: Mapping[str, FieldType], conditions: Sequence[ColumnElement[bool]], rows: int, empty: Collection[str]
) -> Query:
    """Return the query for the columns of these kinds, by import_index, of the rows that match, at most so many.

    ``empty`` are columns that should be: they are not read one by one, only whether there is anything in any.
    """
    return Query(_rows(kinds, conditions, empty), rows)


def typed(answer: pa.Table | None, kinds: Mapping[str, FieldType], empty: Collection[str]) -> pl.DataFrame | None:
    """Return what a process answered to such a query as columns of their types.

    None when not every value is of its column's kind: then the rows are to be read value by value.
    """
    if answer is None or (empty and answer[_LEFT_OUT].null_count < len(answer)):
        return None
    nothing = pa.nulls(len(answer))
    try:
        answer.validate(full=True)  # that text is UTF-8
        columns = [_typed(nothing if name in empty else answer[name], kind) for name, kind in kinds.items()]
    except pa.ArrowException:
        return None
    frame = pl.DataFrame(pa.table(columns, [*kinds]))
    return frame.cast(pl.Schema({name: _TYPES.get(kind, _TEXT)[1] for name, kind in kinds.items()}))


def _rows(
    kinds: Mapping[str, FieldType], conditions: Sequence[ColumnElement[bool]], empty: Collection[str]
) -> Select[Any]:
    left_out = func.coalesce(null(), null(), *(_stored(name) for name in empty)).label(_LEFT_OUT)
    columns = [*(_stored(name) for name in kinds if name not in empty), *([left_out] if empty else [])]
    return select(*columns).where(*conditions).order_by(scored_listings.c.import_index)


def _stored(name: str) -> ColumnElement[Any]:
    return type_coerce(scored_listings.c[name], NullType)


def _typed(column: pa.ChunkedArray, kind: FieldType) -> pa.ChunkedArray:
    """Return a column as what it is. Raises ArrowInvalid where a value is not of its kind."""
    wanted, _ = _TYPES.get(kind, _TEXT)
    if column.null_count == len(column):  # nothing tells of what type it is
        return pa.nulls(len(column), wanted)
    if kind in _STORED_AS_TEXT:
        if not pa.types.is_string(column.type) or _has_nul(column):
            raise pa.ArrowInvalid
    elif not (pa.types.is_integer(column.type) or pa.types.is_floating(column.type)):
        raise pa.ArrowInvalid
    found = column.cast(wanted)
    if kind in _RANGES:
        low, high = _RANGES[kind]
        bounds = compute.min_max(found.cast(pa.int64()) if kind is FieldType.TIMESTAMP else column)
        if not (low <= bounds["min"].as_py() and bounds["max"].as_py() <= high):
            raise pa.ArrowInvalid
    return found


def _has_nul(texts: pa.ChunkedArray) -> bool:
    buffers = (chunk.buffers()[2] for chunk in texts.chunks)
    return not all(np.frombuffer(buffer, np.uint8).all() for buffer in buffers if buffer is not None)


def read_from_connection(
    connection: Connection, kinds: Mapping[str, FieldType], conditions: Sequence[ColumnElement[bool]]
) -> pl.DataFrame:
    """Return the same from PostgreSQL, where no value is anything else."""
    rows = connection.execute(_rows(kinds, conditions, ())).all()
    columns = zip(*rows, strict=True) if rows else [[] for _ in kinds]
    return pl.DataFrame(
        [
            pl.Series(name, column, _TYPES.get(kind, _TEXT)[1])
            for (name, kind), column in zip(kinds.items(), columns, strict=True)
        ]
    )
