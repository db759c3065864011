"""Many rows at a time, as typed columns; only imports whose every value is of its column's type are read so.

On SQLite each column comes as one text, which the database makes by itself. That takes no less time than handing Python
25 values a row, but Python's other threads run meanwhile: those that encode the file, and those that answer.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl
from sqlalchemy import ColumnElement, Connection, LargeBinary, String
from sqlalchemy import cast as sql_cast
from sqlalchemy import func, literal_column, select, type_coerce
from sqlalchemy.types import NullType

from glyphd.domain.listing import FieldType
from glyphd.store.tables import scored_listings

_SEPARATOR, _NULL = "\x1f", "\x1e"
_MOMENT = "%Y-%m-%d %H:%M:%S%.f"
_DTYPES: dict[FieldType, Any] = {
    FieldType.INTEGER: pl.Int64(),
    FieldType.NUMBER: pl.Float64(),
    FieldType.BOOLEAN: pl.Boolean(),
    FieldType.TIMESTAMP: pl.Datetime("us", "UTC"),
}
_INDEX = "import_index"


def read_portion(
    connection: Connection, kinds: Mapping[str, FieldType], conditions: Sequence[ColumnElement[bool]]
) -> pl.DataFrame | None:
    """Return `import_index` and the columns of these kinds, by import_index, of the rows of one import that match.

    None when a text has one of the two characters that columns are cut at: then they are to be read row by row.
    """
    if connection.dialect.name == "sqlite":
        return _cut(connection, kinds, conditions)
    columns = [type_coerce(scored_listings.c[name], NullType) for name in (_INDEX, *kinds)]
    rows = connection.execute(select(*columns).where(*conditions).order_by(scored_listings.c.import_index)).all()
    found = zip(*rows, strict=True) if rows else [[] for _ in columns]
    dtypes = {_INDEX: pl.Int64(), **{name: _DTYPES.get(kind, pl.String()) for name, kind in kinds.items()}}
    return pl.DataFrame(
        [pl.Series(name, column, dtype) for (name, dtype), column in zip(dtypes.items(), found, strict=True)]
    )


def _cut(
    connection: Connection, kinds: Mapping[str, FieldType], conditions: Sequence[ColumnElement[bool]]
) -> pl.DataFrame | None:
    texts = [_INDEX, *(name for name, kind in kinds.items() if kind is not FieldType.NUMBER)]
    ordered = select(*(scored_listings.c[name] for name in texts)).where(*conditions)
    rows = ordered.order_by(scored_listings.c.import_index).subquery().c
    joined = [sql_cast(_joined(rows[name]), LargeBinary) for name in texts]
    known = [func.count(rows[name]) for name in texts]
    row: Sequence[Any] = connection.execute(select(func.count(), *known, *joined)).one()
    count, counts, values = row[0], row[1 : 1 + len(texts)], row[1 + len(texts) :]
    columns = [_parts(name, text) for name, text in zip(texts, values, strict=True)]
    if any((len(each), each.null_count()) != (count, count - some) for each, some in zip(columns, counts, strict=True)):
        return None
    typed = [_typed(each, kinds.get(each.name, FieldType.INTEGER)) for each in columns]
    return pl.DataFrame([*typed, *_numbers(connection, kinds, conditions)]).select(_INDEX, *kinds)


def _joined(column: ColumnElement[Any]) -> ColumnElement[str]:
    """Join the values of a column in the order of the rows, NULL as a character of its own."""
    value = func.coalesce(type_coerce(column, NullType), literal_column(f"char({ord(_NULL)})"))
    return func.group_concat(value, literal_column(f"char({ord(_SEPARATOR)})"), type_=String())


def _parts(name: str, text: bytes | None) -> pl.Series:
    if text is None:
        return pl.Series(name, [], pl.String)
    parts = pl.Series(name, [text], pl.Binary).cast(pl.String).str.split(_SEPARATOR).explode()
    return parts.set(parts == _NULL, None)


def _typed(column: pl.Series, kind: FieldType) -> pl.Series:
    match kind:
        case FieldType.BOOLEAN:
            return column.cast(pl.Int8).cast(pl.Boolean)
        case FieldType.TIMESTAMP:
            return column.str.to_datetime(_MOMENT, time_unit="us", time_zone="UTC")
        case FieldType.INTEGER:
            return column.cast(pl.Int64)
        case _:
            return column


def _numbers(
    connection: Connection, kinds: Mapping[str, FieldType], conditions: Sequence[ColumnElement[bool]]
) -> list[pl.Series]:
    """Return the columns of numbers: as text they would not all come back to the last bit."""
    names = [name for name, kind in kinds.items() if kind is FieldType.NUMBER]
    columns = [scored_listings.c[name] for name in names]
    query = select(*columns).where(*conditions).order_by(scored_listings.c.import_index)
    with connection.execute(query) as result:
        rows: Any = result.cursor  # the driver's rows, a tuple each
        found = np.fromiter(rows, dtype=[(name, "f8") for name in names])
    return [pl.Series(name, np.ascontiguousarray(found[name])) for name in names]
