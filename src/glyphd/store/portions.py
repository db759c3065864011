"""Many rows at a time, as typed columns; only imports whose every value is of its column's type are read so."""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import polars as pl
from sqlalchemy import ColumnElement, Connection, select, type_coerce
from sqlalchemy.types import NullType

from glyphd.domain.listing import FieldType
from glyphd.store.printing import parse, print_rows
from glyphd.store.tables import scored_listings

Portion = Callable[[], pl.DataFrame]
"""Rows that have been read; called, in any thread, it makes them a frame."""

_INDEX = "import_index"
_DTYPES: dict[FieldType, Any] = {
    FieldType.INTEGER: pl.Int64(),
    FieldType.NUMBER: pl.Float64(),
    FieldType.BOOLEAN: pl.Boolean(),
    FieldType.TIMESTAMP: pl.Datetime("us", "UTC"),
}


def read_portion(
    connection: Connection,
    kinds: Mapping[str, FieldType],
    conditions: Sequence[ColumnElement[bool]],
    empty: Collection[str],
) -> Portion | None:
    """Return `import_index` and the columns of these kinds, by import_index, of the rows of one import that match.

    ``empty`` are columns that should be: it takes less time where they are. None when SQLite cannot print the rows:
    then they are to be read value by value.
    """
    columns = {_INDEX: FieldType.INTEGER, **kinds}
    table = scored_listings.c
    if connection.dialect.name == "sqlite":
        printed = print_rows(connection, columns, conditions, empty) or print_rows(connection, columns, conditions, ())
        return None if printed is None else lambda: pl.DataFrame(parse(printed))
    chosen = [type_coerce(table[name], NullType) for name in columns]
    rows = connection.execute(select(*chosen).where(*conditions).order_by(table.import_index)).all()
    return lambda: _framed(rows, columns)


def _framed(rows: Sequence[Any], columns: Mapping[str, FieldType]) -> pl.DataFrame:
    found = zip(*rows, strict=True) if rows else [[] for _ in columns]
    return pl.DataFrame(
        [
            pl.Series(name, column, _DTYPES.get(kind, pl.String()))
            for (name, kind), column in zip(columns.items(), found, strict=True)
        ]
    )
