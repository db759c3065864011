"""Sightings of one import, as columns, in the order they are kept in: by model, listing_key and import_index."""

from collections.abc import Iterator, Sequence
from itertools import repeat
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from sqlalchemy import Connection, Select, select

from glyphd.errors import CountsDisagree
from glyphd.store.driver_rows import driver_rows
from glyphd.store.reading_processes import Query, ReadingProcesses
from glyphd.store.tables import import_model_stats, sightings

SIGHTING = np.dtype([("listing_key", "i8"), ("import_index", "i8"), ("price", "f8"), ("score", "f8")])

_TYPES = [pa.int64(), pa.int64(), pa.float64(), pa.float64()]

Sightings = NDArray[np.void]
"""An array of :data:`SIGHTING`."""

NO_SIGHTINGS: Sightings = np.array([], dtype=SIGHTING)


def model_counts(connection: Connection, import_id: str) -> dict[str, int]:
    """Return how many sightings an import has of each model."""
    table = import_model_stats.c
    query = select(table.canonical_model, table.listing_count).where(table.import_id == import_id)
    return {row.canonical_model: row.listing_count for row in connection.execute(query)}


class Shelf(NamedTuple):
    """The sightings of an import of the models from ``first`` to ``last``, which are so many."""

    import_id: str
    first: str
    last: str
    rows: int

    def query(self) -> Query:
        """Return the query for them, in the order they are kept in."""
        table = sightings.c
        columns = [table[name] for name in SIGHTING.names or ()]
        # PostgreSQL has no COLLATE in a BETWEEN
        within = table.canonical_model >= self.first, table.canonical_model <= self.last
        found = select(*columns).where(table.import_id == self.import_id, *within)
        ordered = found.order_by(table.canonical_model, table.listing_key, table.import_index)
        return Query(ordered, max(self.rows, 1))


def read_each(
    connection: Connection, processes: ReadingProcesses | None, shelves: Sequence[Shelf]
) -> Iterator[Sightings]:
    """Yield the sightings of each shelf. Raises CountsDisagree.

    A process reads 1M in 0.3 s, the connection's cursor in 0.7 s. When it finds another number, since the import is
    being deleted, the connection's snapshot still has all.
    """
    queries = [shelf.query() for shelf in shelves]
    answers = processes.read_each(queries) if processes else repeat(None)
    for shelf, query, answer in zip(shelves, queries, answers, strict=False):
        whole = answer is not None and len(answer) == shelf.rows and answer.schema.types == _TYPES
        yield _as_array(answer) if whole else _from_cursor(connection, query.select, shelf)


def _from_cursor(connection: Connection, query: Select[Any], shelf: Shelf) -> Sightings:
    with driver_rows(connection, query) as given:
        found: Sightings = np.fromiter(given, dtype=SIGHTING)
    if len(found) != shelf.rows:
        import_id, first, last, rows = shelf
        detail = f"The statistics of {import_id} count {rows} rows from {first} to {last}, there are {len(found)}."
        raise CountsDisagree(detail, import_id=import_id)
    return found


def _as_array(answer: pa.Table) -> Sightings:
    found = np.empty(len(answer), dtype=SIGHTING)
    for name in answer.column_names:
        found[name] = answer[name].to_numpy()
    return found


def keys_query(import_id: str, last_index: int) -> Query:
    """Return the query for the listing_key of each row of an import."""
    table = sightings.c
    return Query(select(table.import_index, table.listing_key).where(table.import_id == import_id), last_index)


def keys_by_index(answer: pa.Table | None, last_index: int) -> NDArray[np.int64]:
    """Return what was answered to it by import_index, 0 where there is none."""
    keys = np.zeros(last_index + 1, dtype=np.int64)
    if answer is not None:
        keys[answer["import_index"].to_numpy()] = answer["listing_key"].to_numpy()
    return keys
