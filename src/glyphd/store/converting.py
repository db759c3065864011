"""Rows as SQLite keeps them become rows of the declared types, which every engine holds (`glyphd copy`).

What does not fit its column goes to the row's ``legacy_raw`` under the column's name, and is counted. The column then
holds NULL, or a placeholder where it has to hold something; text keeps what can be shown of it.
"""

import base64
import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import polars as pl
from sqlalchemy import BigInteger, Boolean, Column, Double, Integer, LargeBinary, Table

from glyphd.errors import CopyRefused
from glyphd.store.types import NO_MOMENT, JsonText, RowNumber, UtcTimestamp, parse_timestamp
from glyphd.store.values import INT32, INT64, boolean_of, integer_of, is_plain, number_of, text_of, verbatim_bytes

LEGACY = "legacy_raw"
_MOMENT = pl.Datetime("us", "UTC")
_COMMON_MOMENT = r"^[1-9]\d{3}-\d\d-\d\d [0-2]\d:[0-5]\d:[0-5]\d(\.\d{6})?$"


class Converter:
    """Converts the rows of one table. ``unknown`` are columns of the source that the table does not declare."""

    def __init__(self, table: Table, unknown: Sequence[str] = ()) -> None:
        """Count nothing yet."""
        self.columns = [column for column in table.columns if column.name != LEGACY]
        self.unknown = unknown
        self.misfits: Counter[str] = Counter()
        self._table = table
        self._keeps_legacy = LEGACY in table.c

    @property
    def read(self) -> list[str]:
        """The columns to read, in the order in which rows are given to :meth:`convert`."""
        return [*(column.name for column in self.columns), *self.unknown, *([LEGACY] if self._keeps_legacy else [])]

    def convert(self, rows: Sequence[Sequence[Any]]) -> pl.DataFrame:
        """Return rows in the types of the table. Raises CopyRefused for what neither column nor legacy_raw holds."""
        stored = dict(zip(self.read, zip(*rows, strict=True), strict=True))
        legacy = _legacy(stored[LEGACY]) if self._keeps_legacy else {}
        made = []
        for column in self.columns:
            values, odd = _converted(column, stored[column.name])
            made.append(values)
            self._set_aside(column.name, odd, legacy)
        for name in self.unknown:
            self._set_aside(name, {at: value for at, value in enumerate(stored[name]) if value is not None}, legacy)
        if self._keeps_legacy:
            texts = [_json(legacy[at]) if at in legacy else None for at in range(len(rows))]
            made.append(pl.Series(LEGACY, texts, pl.String))
        return pl.DataFrame(made)

    def _set_aside(self, name: str, odd: dict[int, Any], legacy: dict[int, dict[str, Any]]) -> None:
        if not odd:
            return
        self.misfits[name] += len(odd)
        if self._keeps_legacy:
            for at, value in odd.items():
                legacy.setdefault(at, {})[name] = _as_json(value)
        elif not all(isinstance(value, str | bytes) and _is_text(self._table.c[name]) for value in odd.values()):
            value = next(iter(odd.values()))
            raise CopyRefused(f"{self._table.name}.{name} holds {value!r}, which its type does not allow: correct it.")


def _converted(column: "Column[Any]", values: Sequence[Any]) -> tuple[pl.Series, dict[int, Any]]:
    """Return the values that the column holds, and by position what it could not."""
    kind, dtype, convert, placeholder = _kind(column)
    quick = _QUICK.get(kind)
    if quick is not None and (series := quick(column, values)) is not None:
        return series, {}
    made = [None if value is None else convert(value) for value in values]
    is_text = kind == "text"
    odd = {
        at: value
        for at, (value, found) in enumerate(zip(values, made, strict=True))
        if value is not None and (found is None or (is_text and (isinstance(value, bytes) or str(value) != found)))
    }
    if not column.nullable:
        odd |= {at: None for at, value in enumerate(values) if value is None}
        made = [placeholder if value is None else value for value in made]
    return pl.Series(column.name, made, dtype), odd


def _is_text(column: "Column[Any]") -> bool:
    return _kind(column)[0] == "text"


_Kind = tuple[str, Any, Callable[[Any], Any], Any]


def _kind(column: "Column[Any]") -> _Kind:
    """Return, for a column: what it is, the type in a frame, how a value is read, what stands for one that is not."""
    if isinstance(column.type, JsonText):
        default: Any = column.server_default
        return "json", pl.String, _json_of, default.arg if default is not None else "null"
    if column.type is RowNumber:
        return _BIG
    return next((kind for declared, kind in _KINDS if isinstance(column.type, declared)), _TEXT)


def _long_of(value: Any) -> int | None:
    return integer_of(value, *INT64)


def _number(value: Any) -> float | None:
    """Infinity is kept: both engines hold it, and readers see null."""
    return value if isinstance(value, float) and value in {float("inf"), float("-inf")} else number_of(value)


def _bytes(value: Any) -> bytes:
    return bytes(value) if isinstance(value, bytes | memoryview) else verbatim_bytes(str(value))


_TEXT: _Kind = ("text", pl.String, text_of, "")
_BIG: _Kind = ("big", pl.Int64, _long_of, 0)
_KINDS: tuple[tuple[type[Any], _Kind], ...] = (
    (UtcTimestamp, ("moment", _MOMENT, parse_timestamp, NO_MOMENT)),
    (Boolean, ("boolean", pl.Boolean, boolean_of, False)),
    (BigInteger, _BIG),
    (Integer, ("integer", pl.Int64, integer_of, 0)),
    (Double, ("number", pl.Float64, _number, float("inf"))),
    (LargeBinary, ("binary", pl.Binary, _bytes, b"")),
)


def _json_of(value: Any) -> str | None:
    """Return JSON as text: SQLite's driver gives text, PostgreSQL's the decoded value."""
    if not isinstance(value, str):
        return None if isinstance(value, bytes) else _json(value)
    try:
        json.loads(value, parse_constant=_refuse)
    except ValueError:
        return None
    return value if is_plain(value) else None


def _refuse(constant: str) -> None:
    raise ValueError(constant)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True)


def _as_json(value: Any) -> Any:
    if isinstance(value, str):
        return value if is_plain(value.replace("\0", "")) else _as_json(verbatim_bytes(value))
    if isinstance(value, bytes | memoryview):
        return {"base64": base64.b64encode(value).decode()}
    return value if isinstance(value, int | type(None)) or number_of(value) is not None else str(value)


def _legacy(stored: Sequence[Any]) -> dict[int, dict[str, Any]]:
    """Return what was set aside before, by position."""
    decoded = ((at, json.loads(raw) if isinstance(raw, str) else raw) for at, raw in enumerate(stored) if raw)
    return {at: dict(found) for at, found in decoded}


# -- quick ways, for columns in which every value fits; None where one does not ---------------------------------------


def _series(column: "Column[Any]", values: Sequence[Any], dtype: Any) -> pl.Series | None:
    try:
        series = pl.Series(column.name, values, dtype, strict=True)
    except (TypeError, ValueError, OverflowError, UnicodeEncodeError, pl.exceptions.PolarsError):
        return None
    return None if series.null_count() and not column.nullable else series


def _quick_integers(column: "Column[Any]", values: Sequence[Any]) -> pl.Series | None:
    if set(map(type, values)) - {int, type(None)}:
        return None
    low, high = INT64 if _kind(column)[0] == "big" else INT32
    series = _series(column, values, pl.Int64)
    fits = series is not None and bool(series.is_between(low, high).all())
    return series if fits else None


def _quick_numbers(column: "Column[Any]", values: Sequence[Any]) -> pl.Series | None:
    if set(map(type, values)) - {float, type(None)}:
        return None
    series = _series(column, values, pl.Float64)
    return series if series is not None and not series.is_nan().any() else None


def _quick_text(column: "Column[Any]", values: Sequence[Any]) -> pl.Series | None:
    if set(map(type, values)) - {str, type(None)}:
        return None
    return _series(column, values, pl.String) if is_plain("".join(value for value in values if value)) else None


def _quick_moments(column: "Column[Any]", values: Sequence[Any]) -> pl.Series | None:
    types = set(map(type, values)) - {type(None)}
    if types != {str}:
        return _series(column, values, _MOMENT) if not types else None
    texts = _series(column, values, pl.String)
    if texts is None or not texts.str.contains(_COMMON_MOMENT).all():
        return None
    moments = texts.str.to_datetime("%Y-%m-%d %H:%M:%S%.f", time_unit="us", time_zone="UTC", strict=False)
    return moments if moments.null_count() == texts.null_count() else None


_QUICK: dict[str, Callable[["Column[Any]", Sequence[Any]], pl.Series | None]] = {
    "integer": _quick_integers,
    "big": _quick_integers,
    "number": _quick_numbers,
    "text": _quick_text,
    "moment": _quick_moments,
}


def rows_of(frame: pl.DataFrame, table: Table) -> Iterator[dict[str, Any]]:
    """Return converted rows as an INSERT of the table takes them: JSON decoded."""
    encoded = [column.name for column in table.columns if isinstance(column.type, JsonText)]
    for row in frame.iter_rows(named=True):
        decoded = {name: json.loads(row[name]) for name in encoded if row.get(name) is not None}
        yield {**row, **decoded}
