"""Reads text cells column by column: trimmed text, and the value it says or null when it says none.

:mod:`glyphd.domain.conversion` is the same in plain Python, one cell at a time; a property test holds them together.
"""

import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from itertools import product

import polars as pl

from glyphd.domain.conversion import FALSE_WORDS, PRICE, TIMESTAMP, TRUE_WORDS
from glyphd.domain.listing import NULL_TOKENS, Field, FieldType, fields_of
from glyphd.ingest.contract import RECEIVED_AT, text_column
from glyphd.ingest.records import IMPORT_INDEX

UTC_MICROSECONDS = pl.Datetime("us", "UTC")

_FIRST_MOMENT = datetime(1, 1, 1, tzinfo=UTC)

SPACE = "".join(character for character in map(chr, range(sys.maxunicode)) if character.isspace())
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
    present = [field for field in fields if field.name in cells.columns]
    texts = cells.select(
        IMPORT_INDEX,
        pl.lit(received_at).cast(UTC_MICROSECONDS).alias(RECEIVED_AT),
        *(pl.col(field.name).str.strip_chars(SPACE).alias(text_column(field)) for field in present),
        *(pl.lit(None, pl.String).alias(text_column(field)) for field in fields if field not in present),
    )
    # step by step: polars evaluates an expression again wherever it is written, which took twice as long
    texts = texts.with_columns(_without_tokens(pl.col(text_column(field))) for field in present)
    return texts.with_columns(_value(field, texts) for field in fields if text_column(field) != field.name)


def _without_tokens(text: pl.Expr) -> pl.Expr:
    return pl.when(~text.is_in(_NULL_TOKENS)).then(text)


def _value(field: Field, texts: pl.DataFrame) -> pl.Expr | pl.Series:
    text = pl.col(text_column(field))
    match field.type:
        case FieldType.BOOLEAN:
            known = text.is_in([*_TRUE_WORDS, *_FALSE_WORDS])
            return pl.when(known).then(text.is_in(_TRUE_WORDS)).alias(field.name)
        case FieldType.TIMESTAMP:
            return _timestamps(texts[text_column(field)]).alias(field.name)
        case _:
            return _number(_plain_amount(text) if field.thousands else text).alias(field.name)


def _number(text: pl.Expr) -> pl.Expr:
    """The cast of polars reads exactly the decimal numbers and infinities we accept, and NaN, which we do not."""
    return text.cast(pl.Float64, strict=False).fill_nan(None)


def _plain_amount(text: pl.Expr) -> pl.Expr:
    """Take dollar sign and thousands separators out of a well-formed amount; leave everything else as it is."""
    amount = text.str.contains(f"^(?:{PRICE})$")
    return pl.when(amount).then(text.str.replace_all("[$, ]", "")).otherwise(text)


def _timestamps(text: pl.Series) -> pl.Series:
    """Read the parts at their places: the pattern has made sure that they are there, in range, in ASCII digits."""
    stamp = pl.col("stamp")
    well_formed = stamp.str.contains(f"^(?:{TIMESTAMP})$") & ~stamp.str.starts_with("0000")
    stamps = text.alias("stamp").to_frame().select(pl.when(well_formed).then(stamp))
    parts = stamps.select(
        day=stamp.str.slice(0, 10).str.to_date("%Y-%m-%d", strict=False).cast(pl.Datetime("us")),
        minutes=_digits(stamp.str.slice(11, 2)) * 60 + _digits(stamp.str.slice(14, 2)),
        seconds=pl.when(stamp.str.slice(16, 1) == ":").then(_digits(stamp.str.slice(17, 2))).otherwise(0),
        **_fraction_and_offset(stamps["stamp"]),
    )
    minutes, seconds = pl.col("minutes") - pl.col("offset"), pl.col("seconds")
    time = pl.duration(microseconds=(minutes * 60 + seconds) * 1_000_000 + pl.col("fraction"))
    moments = parts.select(moment=(pl.col("day") + time).dt.replace_time_zone("UTC"))
    return moments.select(pl.when(pl.col("moment") >= _FIRST_MOMENT).then(pl.col("moment"))).to_series()


def _fraction_and_offset(stamps: pl.Series) -> dict[str, pl.Expr]:
    """Return microseconds and the offset's minutes: zero when no stamp is longer than `2026-11-20T08:12:00Z`."""
    if not (stamps.str.len_bytes() > 20).any():
        return {"fraction": pl.lit(0), "offset": pl.lit(0)}
    rest = pl.col("stamp").str.slice(16)
    sign = pl.when(rest.str.contains("-", literal=True)).then(-1).otherwise(1)
    digits = rest.str.extract("[+-](.*)$").str.replace(":", "", literal=True).str.pad_end(4, "0")
    return {
        "fraction": _digits(rest.str.extract("[.,]([0-9]{1,6})").str.pad_end(6, "0")),
        "offset": sign * (_digits(digits.str.slice(0, 2)) * 60 + _digits(digits.str.slice(2, 2))),
    }


def _digits(text: pl.Expr) -> pl.Expr:
    return text.cast(pl.Int64, strict=False).fill_null(0)
