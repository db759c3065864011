"""One offer through the imports: its sightings, each found by a prefix of the key they are sorted by."""

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, Row, and_, select

from glyphd.store.tables import import_model_stats, scored_listings, sightings

IMPORTS_AT_ONCE = 1000
"""Imports named in one statement: SQLite takes 32 766 values."""


def sightings_of_offer(
    connection: Connection, import_ids: Sequence[str], listing_key: int, model: str | None = None
) -> Iterator[Row[Any, Any, Any, Any, Any]]:
    """Yield import_id, import_index, canonical_model, price (USD) and score of an offer's rows in some imports.

    Without a ``model`` the models of each import are tried: the key contains the model, so that it is in one of them.
    """
    seen, stats = sightings.c, import_model_stats.c
    query = select(seen.import_id, seen.import_index, seen.canonical_model, seen.price, seen.score)
    if model is None:
        tried = and_(seen.import_id == stats.import_id, seen.canonical_model == stats.canonical_model)
        query = query.select_from(import_model_stats.join(sightings, tried))
        among = stats.import_id
    else:
        query = query.where(seen.canonical_model == model)
        among = seen.import_id
    for at in range(0, len(import_ids), IMPORTS_AT_ONCE):
        chosen = among.in_(import_ids[at : at + IMPORTS_AT_ONCE])
        yield from connection.execute(query.where(chosen, seen.listing_key == listing_key))


def find_row_number(connection: Connection, row_number: int) -> tuple[str, int] | None:
    """Return import_id and import_index of a row by its number (`id`); on PostgreSQL that reads the whole table."""
    table = scored_listings.c
    row = connection.execute(select(table.import_id, table.import_index).where(table.id == row_number)).first()
    return None if row is None else (row.import_id, row.import_index)
