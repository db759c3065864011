"""Reads text cells column by column: trimmed text, and the value it says or null when it says none.

:mod:`glyphd.domain.conversion` is the same in plain Python, one cell at a time; a property test holds them together.
"""

import sys
from collections.abc import Iterable
from datetime import datetime
from itertools import product

import polars as pl

from glyphd.domain.conversion import FALSE_WORDS, PRICE, TIMESTAMP, TRUE_WORDS
from glyphd.domain.listing import NULL_TOKENS, Field, FieldType, fields_of
from glyphd.ingest.contract import RECEIVED_AT, text_column
from glyphd.ingest.records import IMPORT_INDEX

UTC_MICROSECONDS = pl.Datetime("us", "UTC")

_SPACE = "".join(character for character in map(chr, range(sys.maxunicode)) if character.isspace())
"""What `str.strip` strips; polars by itself leaves the separators U+001C to U+001F."""


def _any_case(words: Iterable[str]) -> list[str]:
    """Return every spelling of some words: looking them up is ten times faster than lower-casing the column."""
    return sorted({"".join(letters) for word in words for letters in product(*((c.lower(), c.upper()) for c in word))})


_NULL_TOKENS = _any_case(NULL_TOKENS)
_TRUE_WORDS, _FALSE_WORDS = _any_case(TRUE_WORDS), _any_case(FALSE_WORDS)


def read_cells(cells: pl.DataFrame, schema_version: str, received_at: datetime) -> pl.DataFrame:
    """Return the readings of raw text cells: what :func:`glyphd.ingest.contract.contract` validates.

    Columns: `import_index`, `received_at`, and per field of the schema version its text and, unless it is text, its
    value: Float64 for numbers, Boolean, or Datetime in UTC. A field without a column is all null.
    """
    fields = fields_of(schema_version)
    texts = cells.select(
        IMPORT_INDEX,
        pl.lit(received_at).cast(UTC_MICROSECONDS).alias(RECEIVED_AT),
        *(_text(field, cells.columns).alias(text_column(field)) for field in fields),
    )
    return texts.with_columns(_value(field).alias(field.name) for field in fields if text_column(field) != field.name)


def _text(field: Field, columns: list[str]) -> pl.Expr:
    if field.name not in columns:
        return pl.lit(None, pl.String)
    text = pl.col(field.name).str.strip_chars(_SPACE)
    return pl.when(~text.is_in(_NULL_TOKENS)).then(text)


def _value(field: Field) -> pl.Expr:
    text = pl.col(text_column(field))
    match field.type:
        case FieldType.BOOLEAN:
            return pl.when(text.is_in(_TRUE_WORDS)).then(True).when(text.is_in(_FALSE_WORDS)).then(False)
        case FieldType.TIMESTAMP:
            return _timestamp(text)
        case _:
            return _number(_plain_amount(text) if field.thousands else text)


def _number(text: pl.Expr) -> pl.Expr:
    """The cast of polars reads exactly the decimal numbers and infinities we accept, and NaN, which we do not."""
    return text.cast(pl.Float64, strict=False).fill_nan(None)


def _plain_amount(text: pl.Expr) -> pl.Expr:
    """Take dollar sign and thousands separators out of a well-formed amount; leave everything else as it is."""
    amount = text.str.contains(f"^(?:{PRICE})$")
    return pl.when(amount).then(text.str.replace_all("[$, ]", "")).otherwise(text)


def _timestamp(text: pl.Expr) -> pl.Expr:
    """Read the parts at their places: the pattern has made sure that they are there, in range, in ASCII digits."""
    whole = pl.when(text.str.contains(f"^(?:{TIMESTAMP})$")).then(text)
    year = pl.when(whole.str.slice(0, 4) != "0000").then(whole)
    date = year.str.slice(0, 10).str.to_date("%Y-%m-%d", strict=False)
    has_seconds = whole.str.slice(16, 1) == ":"
    seconds = pl.when(has_seconds).then(_digits(whole.str.slice(17, 2))).otherwise(0)
    clock = (_digits(whole.str.slice(11, 2)) * 60 + _digits(whole.str.slice(14, 2))) * 60 + seconds
    rest = whole.str.slice(16)
    fraction = _digits(rest.str.extract("[.,]([0-9]{1,6})").str.pad_end(6, "0"))
    micros = (clock - _offset_minutes(rest) * 60) * 1_000_000 + fraction
    moment = (date.cast(pl.Datetime("us")) + pl.duration(microseconds=micros)).dt.replace_time_zone("UTC")
    return pl.when(moment.dt.year() >= 1).then(moment)


def _offset_minutes(rest: pl.Expr) -> pl.Expr:
    sign = pl.when(rest.str.contains("-", literal=True)).then(-1).otherwise(1)
    digits = rest.str.extract("[+-](.*)$").str.replace(":", "", literal=True).str.pad_end(4, "0")
    return sign * (_digits(digits.str.slice(0, 2)) * 60 + _digits(digits.str.slice(2, 2)))


def _digits(text: pl.Expr) -> pl.Expr:
    return text.cast(pl.Int64, strict=False).fill_null(0)
