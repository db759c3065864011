"""Reading sightings: each read is a range, or some probes, of the key import_id, model, listing_key, import_index."""

from collections.abc import Iterator, Sequence
from itertools import starmap
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, Connection, Tuple, and_, literal, select, tuple_

from glyphd.store.driver_rows import driver_rows
from glyphd.store.functions import is_among
from glyphd.store.tables import import_model_stats, scored_listings, sightings
from glyphd.store.types import TextList

_IDS_A_STATEMENT = 5_000

_TABLE = sightings.c

Offer = tuple[str, int]
"""A model, and a listing_key."""

FIRST_OFFER: Offer = ("", -(2**63))


class SightingRow(NamedTuple):
    """One row of sightings; price in USD."""

    import_id: str
    canonical_model: str
    listing_key: int
    import_index: int
    price: float
    score: float


class ModelPrices(NamedTuple):
    """How many rows of a model an import has, and their prices in USD."""

    import_id: str
    model: str
    rows: int
    min: float
    p25: float
    median: float
    p75: float
    max: float


def prices_of_models(connection: Connection, import_ids: Sequence[str], models: Sequence[str]) -> list[ModelPrices]:
    """Return the stored figures of each of these models in each of some imports that has rows of it."""
    table = import_model_stats.c
    figures = (table.min_price, table.p25_price, table.median_price, table.p75_price, table.max_price)
    query = select(table.import_id, table.canonical_model, table.listing_count, *figures)
    found: list[Any] = []
    for some in _portions(import_ids):
        within = query.where(_among(table.import_id, some), table.canonical_model.in_(models))
        found += connection.execute(within).all()
    return list(starmap(ModelPrices, found))


def prices_in_order(connection: Connection, import_ids: Sequence[str], models: Sequence[str]) -> NDArray[np.float64]:
    """Return the price (USD) of every sighting of these models in some imports, in order of import_id, then model.

    They are taken from the driver's cursor, and nothing beside them: whose they are is known by how many there are of
    each, which makes a history of 1,000 imports by day take 0.8 of the time.
    """
    found = []
    for some in _portions(sorted(import_ids)):
        query = select(_TABLE.price).where(_within(some), _TABLE.canonical_model.in_(models))
        with driver_rows(connection, query.order_by(_TABLE.import_id, _TABLE.canonical_model)) as rows:
            found.append(np.fromiter(rows, dtype=[("price", "f8")])["price"])
    return np.concatenate(found) if found else np.array([])


def model_of_offer(connection: Connection, import_ids: Sequence[str], listing_key: int) -> str | None:
    """Return the model of an offer that one of these imports saw: a key is that of one model, which is hashed with it.

    The models of each import are probed; the imports are tried in their order, more of them at a time.
    """
    table = import_model_stats.c
    same = and_(table.import_id == _TABLE.import_id, table.canonical_model == _TABLE.canonical_model)
    probing = select(_TABLE.canonical_model).select_from(import_model_stats.join(sightings, same))
    for some in _portions(import_ids, 50):
        query = probing.where(table.import_id.in_(some), _TABLE.listing_key == listing_key).limit(1)
        model = connection.execute(query).scalar()
        if model is not None:
            return str(model)
    return None


def sightings_of(
    connection: Connection, import_ids: Sequence[str], model: str, listing_keys: Sequence[int]
) -> list[SightingRow]:
    """Return what some imports saw of some offers of one model, in no order."""
    found: list[SightingRow] = []
    for keys in _portions(listing_keys):
        for some in _portions(import_ids):
            wanted = and_(_within(some), _TABLE.canonical_model == model, _TABLE.listing_key.in_(keys))
            found += _rows(connection, wanted)
    return found


def end_of_stretch(
    connection: Connection, import_id: str, begin: Offer, models: Sequence[str] | None, rows: int
) -> Offer | None:
    """Return of which offer is the so-manieth row of an import from an offer on; None if there are not so many."""
    query = select(_TABLE.canonical_model, _TABLE.listing_key).where(*_stretch([import_id], begin, None, models))
    query = query.order_by(_TABLE.canonical_model, _TABLE.listing_key, _TABLE.import_index).offset(rows - 1).limit(1)
    found = connection.execute(query).first()
    return None if found is None else (found[0], found[1])


def next_offer(connection: Connection, import_id: str, past: Offer, models: Sequence[str] | None) -> Offer | None:
    """Return the first offer of an import past one, by model and key; None if that is the last."""
    query = select(_TABLE.canonical_model, _TABLE.listing_key).where(_within([import_id]), _offer() > tuple_(*past))
    if models is not None:
        query = query.where(_TABLE.canonical_model.in_(models))
    found = connection.execute(query.order_by(_TABLE.canonical_model, _TABLE.listing_key).limit(1)).first()
    return None if found is None else (found[0], found[1])


def read_stretch(
    connection: Connection, import_ids: Sequence[str], begin: Offer, end: Offer | None, models: Sequence[str] | None
) -> list[SightingRow]:
    """Return what some imports saw of the offers from one to another, both included; in no order."""
    return _rows(connection, and_(*_stretch(import_ids, begin, end, models)))


def rows_in_region(connection: Connection, import_id: str, indexes: Sequence[int], region: str) -> set[int]:
    """Return those of some rows of an import, by import_index, that are in a region."""
    table = scored_listings.c
    found = set[int]()
    for some in _portions(indexes):
        query = select(table.import_index).where(
            table.import_id == import_id, table.import_index.in_(some), table.region == region
        )
        found.update(connection.execute(query).scalars())
    return found


def _rows(connection: Connection, wanted: ColumnElement[bool]) -> list[SightingRow]:
    return list(starmap(SightingRow, connection.execute(select(*_TABLE).where(wanted)).all()))


def _within(import_ids: Sequence[str]) -> ColumnElement[bool]:
    return _among(_TABLE.import_id, import_ids)


def _among(column: ColumnElement[str], import_ids: Sequence[str]) -> ColumnElement[bool]:
    if len(import_ids) == 1:
        return column == import_ids[0]
    return is_among(column, literal(list(import_ids), TextList()))


def _stretch(
    import_ids: Sequence[str], begin: Offer, end: Offer | None, models: Sequence[str] | None
) -> Iterator[ColumnElement[bool]]:
    yield _within(import_ids)
    if models is not None:
        yield _TABLE.canonical_model.in_(models)
    yield _offer() >= tuple_(*begin)
    if end is not None:
        yield _offer() <= tuple_(*end)


def _offer() -> Tuple:
    return tuple_(_TABLE.canonical_model, _TABLE.listing_key)


def _portions(values: Sequence[Any], size: int = _IDS_A_STATEMENT) -> Iterator[Sequence[Any]]:
    """Cut what a statement names: engines bound how much that is."""
    for start in range(0, len(values), size):
        yield values[start : start + size]
