"""Many rows at a time, as typed columns; only imports whose every value is of its column's type are read so.

On SQLite the database prints the rows as one text, which pyarrow parses: meanwhile Python's other threads run, those
that read the next rows, encode the file, and answer. Handing Python 25 values a row takes as long, and holds them up.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl
import pyarrow as pa
from pyarrow import compute, csv
from sqlalchemy import ColumnElement, Connection, Integer, LargeBinary, String, Subquery, and_, case
from sqlalchemy import cast as sql_cast
from sqlalchemy import func, literal_column, select, true, type_coerce
from sqlalchemy.exc import DataError
from sqlalchemy.types import NullType

from glyphd.domain.listing import FieldType
from glyphd.store.tables import scored_listings

_INDEX = "import_index"
_PARTS = 2.0**62
_DTYPES: dict[FieldType, Any] = {
    FieldType.INTEGER: pl.Int64(),
    FieldType.NUMBER: pl.Float64(),
    FieldType.BOOLEAN: pl.Boolean(),
    FieldType.TIMESTAMP: pl.Datetime("us", "UTC"),
}
_PRINTED: dict[FieldType, Any] = {
    FieldType.INTEGER: pa.int64(),
    FieldType.NUMBER: pa.int64(),
    FieldType.BOOLEAN: pa.int64(),
    FieldType.TIMESTAMP: pa.timestamp("us"),
}
"""As what printed columns are parsed; all others are texts."""


def read_portion(
    connection: Connection, kinds: Mapping[str, FieldType], conditions: Sequence[ColumnElement[bool]]
) -> pl.DataFrame | None:
    """Return `import_index` and the columns of these kinds, by import_index, of the rows of one import that match.

    None when they cannot be printed: then they are to be read value by value.
    """
    columns = {_INDEX: FieldType.INTEGER, **kinds}
    if connection.dialect.name == "sqlite":
        printed = _print(connection, columns, conditions)
        return None if printed is None else _parsed(printed, columns)
    chosen = [type_coerce(scored_listings.c[name], NullType) for name in columns]
    rows = connection.execute(select(*chosen).where(*conditions).order_by(scored_listings.c.import_index)).all()
    found = zip(*rows, strict=True) if rows else [[] for _ in columns]
    return pl.DataFrame(
        [
            pl.Series(name, column, _DTYPES.get(kind, pl.String()))
            for (name, kind), column in zip(columns.items(), found, strict=True)
        ]
    )


def _print(
    connection: Connection, columns: Mapping[str, FieldType], conditions: Sequence[ColumnElement[bool]]
) -> bytes | None:
    """Return the rows as lines of CSV in SQL's quotes; None if a number would not come back to its last bit."""
    lines = _lines(columns, conditions).c
    text = func.group_concat(lines.line, literal_column("char(10)"), type_=String())
    try:
        printed, whole = connection.execute(select(sql_cast(text, LargeBinary), func.min(lines.whole))).one()
    except DataError:  # longer than a value may be
        return None
    return (printed or b"") if whole in (None, 1) else None


def _lines(columns: Mapping[str, FieldType], conditions: Sequence[ColumnElement[bool]]) -> Subquery:
    """Return a line of CSV for each row, and whether what it says of the row's numbers is all of them."""
    form: list[str] = []
    values: list[ColumnElement[Any]] = []
    kept: list[ColumnElement[bool]] = []
    for name, kind in columns.items():
        column = type_coerce(scored_listings.c[name], NullType)
        if kind is FieldType.NUMBER:
            whole, parts = _in_parts(column)
            form.append("%s,%s")
            values += [whole, parts]
            kept.append((whole + parts / literal_column(repr(_PARTS))).is_not_distinct_from(column))
        else:
            form.append("%s" if kind in {FieldType.INTEGER, FieldType.BOOLEAN} else "%Q")
            values.append(column)
    line = func.printf(",".join(form), *values).label("line")
    rows = select(line, case((and_(true(), *kept), 1), else_=0).label("whole"))
    return rows.where(*conditions).order_by(scored_listings.c.import_index).subquery()


def _in_parts(number: ColumnElement[Any]) -> tuple[ColumnElement[Any], ColumnElement[Any]]:
    """Return the whole part of a number, and the rest in 2^-62: two integers, exact but for numbers below 2^-10."""
    whole = sql_cast(number, Integer)
    return whole, sql_cast((number - whole) * literal_column(repr(_PARTS)), Integer)


def _parsed(printed: bytes, columns: Mapping[str, FieldType]) -> pl.DataFrame:
    types: dict[str, Any] = {}
    for name, kind in columns.items():
        types[name] = _PRINTED.get(kind, pa.string())
        if kind is FieldType.NUMBER:
            types[_rest_of(name)] = pa.int64()
    table = csv.read_csv(
        pa.BufferReader(printed or b"\n"),
        csv.ReadOptions(use_threads=False, block_size=len(printed) + 1, column_names=[*types]),
        csv.ParseOptions(quote_char="'", newlines_in_values=True),
        csv.ConvertOptions(
            column_types=types, null_values=["NULL", ""], strings_can_be_null=True, quoted_strings_can_be_null=False
        ),
    )
    found = pa.table({name: _typed(table, name, kind) for name, kind in columns.items()})
    frame = pl.from_arrow(found)
    assert isinstance(frame, pl.DataFrame)  # noqa: S101 - the signature is wider than the promise
    return frame


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
