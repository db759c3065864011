"""Scored listings as one text that SQLite prints and pyarrow parses, neither of them with the GIL.

Handing Python the values takes as long, and holds up its other threads: those that read the next rows, encode, answer.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
from pyarrow import compute, csv
from sqlalchemy import ColumnElement, Connection, Integer, LargeBinary, String, Subquery, and_, case
from sqlalchemy import cast as sql_cast
from sqlalchemy import func, literal_column, null, or_, select, type_coerce
from sqlalchemy.exc import DataError
from sqlalchemy.types import NullType

from glyphd.domain.listing import FieldType
from glyphd.store.tables import scored_listings

_PARTS = 2.0**62
_EXACT_FROM: ColumnElement[float] = literal_column(repr(2.0**-10))
_EXACT_TO: ColumnElement[float] = literal_column(repr(2.0**53))
_PARSED: dict[FieldType, Any] = {
    FieldType.INTEGER: pa.int64(),
    FieldType.NUMBER: pa.int64(),
    FieldType.BOOLEAN: pa.int64(),
    FieldType.TIMESTAMP: pa.timestamp("us"),
}
"""As what columns are parsed; all others are texts."""


@dataclass(frozen=True, slots=True)
class Printed:
    """Rows as text: a line of CSV, in SQL's quotes, for each, without those of its columns that are empty."""

    text: bytes
    kinds: Mapping[str, FieldType]
    empty: Collection[str]


def print_rows(
    connection: Connection,
    kinds: Mapping[str, FieldType],
    conditions: Sequence[ColumnElement[bool]],
    empty: Collection[str],
) -> Printed | None:
    """Return the columns of these kinds, by import_index, of the rows that match, to be parsed in any thread.

    Columns that should be ``empty`` are left out, which spares a tenth of the time for every eight. None when the rows
    cannot be printed: such a column is not empty, a number would not come back to its last bit, the text is too long.
    """
    lines = _lines(kinds, conditions, empty).c
    text = func.group_concat(lines.line, literal_column("char(10)"), type_=String())
    try:
        printed, whole = connection.execute(select(sql_cast(text, LargeBinary), func.min(lines.whole))).one()
    except DataError:  # longer than a value may be
        return None
    return None if whole == 0 else Printed(printed or b"", kinds, empty)


def _lines(
    kinds: Mapping[str, FieldType], conditions: Sequence[ColumnElement[bool]], empty: Collection[str]
) -> Subquery:
    """Return a line for each row, and whether it says all there is."""
    form: list[str] = []
    values: list[ColumnElement[Any]] = []
    left_out = (type_coerce(scored_listings.c[name], NullType) for name in empty)
    kept: list[ColumnElement[bool]] = [func.coalesce(null(), null(), *left_out).is_(None)]
    for name, kind in kinds.items():
        if name in empty:
            continue
        column = type_coerce(scored_listings.c[name], NullType)
        if kind is FieldType.NUMBER:
            form.append("%s,%s")
            values += _in_parts(column)
            kept.append(or_(column.between(_EXACT_FROM, _EXACT_TO), column == 0, column.is_(None)))
        else:
            form.append("%s" if kind in {FieldType.INTEGER, FieldType.BOOLEAN} else "%Q")
            values.append(column)
    line = func.printf(",".join(form), *values).label("line")
    rows = select(line, case((and_(*kept), 1), else_=0).label("whole"))
    return rows.where(*conditions).order_by(scored_listings.c.import_index).subquery()


def _in_parts(number: ColumnElement[Any]) -> tuple[ColumnElement[Any], ColumnElement[Any]]:
    """Return the whole part of a number, and the rest in 2^-62: two integers, exact from 2^-10 to 2^53."""
    whole = sql_cast(number, Integer)
    return whole, sql_cast((number - whole) * literal_column(repr(_PARTS)), Integer)


def parse(printed: Printed) -> pa.Table:
    """Return the columns of printed rows."""
    types: dict[str, Any] = {}
    for name, kind in printed.kinds.items():
        if name in printed.empty:
            continue
        types[name] = _PARSED.get(kind, pa.string())
        if kind is FieldType.NUMBER:
            types[_rest_of(name)] = pa.int64()
    table = csv.read_csv(
        pa.BufferReader(printed.text or b"\n"),
        csv.ReadOptions(use_threads=False, block_size=len(printed.text) + 1, column_names=[*types]),
        csv.ParseOptions(quote_char="'", newlines_in_values=True),
        csv.ConvertOptions(
            column_types=types, null_values=["NULL", ""], strings_can_be_null=True, quoted_strings_can_be_null=False
        ),
    )
    return pa.table(
        {
            name: pa.nulls(len(table), pa.string()) if name in printed.empty else _typed(table, name, kind)
            for name, kind in printed.kinds.items()
        }
    )


def _typed(table: pa.Table, name: str, kind: FieldType) -> pa.ChunkedArray:
    column = table[name]
    match kind:
        case FieldType.BOOLEAN:
            return column.cast(pa.bool_())
        case FieldType.TIMESTAMP:
            return column.cast(pa.timestamp("us", "UTC"))
        case FieldType.NUMBER:
            rest = compute.divide(table[_rest_of(name)].cast(pa.float64(), safe=False), _PARTS)
            return compute.add(column.cast(pa.float64(), safe=False), rest)
        case _:
            return column


def _rest_of(name: str) -> str:
    return f"{name} rest"
