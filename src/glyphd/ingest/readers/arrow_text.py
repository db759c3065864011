"""Columns of Arrow as the text that their values have in a CSV or JSON file of the same records."""

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pyarrow import types

FIXED_BYTES = 8
"""What a value that is no text counts for: its text is never long."""

_STAMP, _SPELLED = r"^(\S+) (\S+?)(\.0+)?(Z?)$", r"\1T\2\4"


def is_flat(kind: pa.DataType) -> bool:
    """Tell whether a column has one value a record that can be written as text."""
    return not (types.is_nested(kind) or types.is_interval(kind))


def is_textual(kind: pa.DataType) -> bool:
    """Tell whether a column holds text, or bytes that may be text."""
    kind = kind.value_type if types.is_dictionary(kind) else kind
    return any(tells(kind) for tells in _TEXTUAL)


_TEXTUAL = (
    types.is_string,
    types.is_large_string,
    types.is_string_view,
    types.is_binary,
    types.is_large_binary,
    types.is_binary_view,
    types.is_fixed_size_binary,
)


def byte_lengths(column: pa.Array) -> NDArray[np.int64]:
    """Return how many bytes of text each value has, without making the text of a dictionary."""
    if not is_textual(column.type):
        return np.full(len(column), FIXED_BYTES, np.int64)
    if types.is_dictionary(column.type):
        lengths = np.append(byte_lengths(column.dictionary), 0)
        indices = column.indices.cast(pa.int64()).fill_null(len(lengths) - 1)
        used: NDArray[np.int64] = lengths[indices.to_numpy(zero_copy_only=False)]
        return used
    sizes = pc.binary_length(column.cast(pa.large_binary())).fill_null(0).cast(pa.int64())
    return np.asarray(sizes)


def text_of(column: pa.Array) -> pl.Series:
    """Return a column as text, or as bytes (Binary) when any of it is not UTF-8.

    A timestamp with an offset is one in UTC, one without says none.
    """
    if types.is_dictionary(column.type):
        column = column.dictionary_decode()
    kind = column.type
    if is_textual(kind):
        return _decoded(column.cast(pa.large_binary()))
    if types.is_floating(kind):
        wide = column.cast(pa.float32()) if types.is_float16(kind) else column
        return pl.Series(pl.from_arrow(wide)).cast(pl.String)
    if types.is_timestamp(kind):
        moments = column.cast(pa.timestamp(kind.unit, "UTC" if kind.tz else None))
        return _from_text(pc.replace_substring_regex(moments.cast(pa.string()), _STAMP, _SPELLED))
    return _from_text(column.cast(pa.date32()) if types.is_date64(kind) else column)


def _from_text(column: pa.Array) -> pl.Series:
    return pl.Series(pl.from_arrow(column.cast(pa.large_string())))


def _decoded(column: pa.Array) -> pl.Series:
    try:
        return _from_text(column)
    except pa.ArrowInvalid:
        return pl.Series(pl.from_arrow(column))
