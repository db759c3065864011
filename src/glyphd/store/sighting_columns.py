"""Sightings of one import, as columns, in the order they are kept in: by model, listing_key and import_index."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, Connection, select

from glyphd.domain.listing import FieldType
from glyphd.errors import CountsDisagree
from glyphd.store.printing import Printed, read_printed
from glyphd.store.tables import import_model_stats, sightings

_KINDS = {
    "listing_key": FieldType.INTEGER,
    "import_index": FieldType.INTEGER,
    "price": FieldType.NUMBER,
    "score": FieldType.NUMBER,
}

SIGHTING = np.dtype([(name, "f8" if kind is FieldType.NUMBER else "i8") for name, kind in _KINDS.items()])

Sightings = NDArray[np.void]
"""An array of :data:`SIGHTING`."""

NO_SIGHTINGS: Sightings = np.array([], dtype=SIGHTING)


def model_counts(connection: Connection, import_id: str) -> dict[str, int]:
    """Return how many sightings an import has of each model."""
    table = import_model_stats.c
    query = select(table.canonical_model, table.listing_count).where(table.import_id == import_id)
    return {row.canonical_model: row.listing_count for row in connection.execute(query)}


def read_sightings(connection: Connection, import_id: str, first: str, last: str, count: int) -> Sightings:
    """Return the sightings of the models from ``first`` to ``last``, which are so many. Raises CountsDisagree."""
    table = sightings.c
    within = table.canonical_model >= first, table.canonical_model <= last  # PostgreSQL has no COLLATE in a BETWEEN
    found = _read(connection, [table.import_id == import_id, *within])
    if len(found) != count:
        detail = f"The statistics of {import_id} count {count} rows from {first} to {last}, there are {len(found)}."
        raise CountsDisagree(detail, import_id=import_id)
    return found


def _read(connection: Connection, conditions: Sequence[ColumnElement[bool]]) -> Sightings:
    """Read as SQLite prints them, without the GIL, or from the driver's cursor: faster than a list of tuples."""
    table = sightings.c
    order = [table.canonical_model, table.listing_key, table.import_index]
    if connection.dialect.name == "sqlite":
        wanted = {name: Printed(table[name], kind) for name, kind in _KINDS.items()}
        printed = read_printed(connection, wanted, conditions, order)
        if printed is not None:
            columns: Sightings = np.empty(len(printed), dtype=SIGHTING)
            for name in _KINDS:
                columns[name] = printed[name].to_numpy()
            return columns
    query = select(*(table[name] for name in _KINDS)).where(*conditions).order_by(*order)
    with connection.execute(query) as result:
        rows: Any = result.cursor  # every driver's cursor yields rows, though the DBAPI does not ask it to
        found: Sightings = np.fromiter(rows, dtype=SIGHTING)
    return found
