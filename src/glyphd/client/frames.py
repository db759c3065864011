"""Listings as a polars frame; only who asks for one loads polars."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import polars as pl

from glyphd.client.listings import COLUMNS

_DTYPES: dict[type, Any] = {
    str: pl.String,
    int: pl.Int64,
    float: pl.Float64,
    bool: pl.Boolean,
    datetime: pl.Datetime("us", "UTC"),
}

SCHEMA = pl.Schema({name: _DTYPES[kind] for name, kind in COLUMNS.items()})
"""The columns of every frame, whatever is in it: those of the row contract, and where a row is from."""


def frame_of(pages: Iterable[list[dict[str, Any]]]) -> pl.DataFrame:
    """Return listings as one frame; without any it has all the columns and no row."""
    return pl.concat([SCHEMA.to_frame(), *(pl.DataFrame(page, schema=SCHEMA) for page in pages)])
