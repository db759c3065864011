"""What a market report reads: figures by model over several imports, and their sightings, some models at a time."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl
from sqlalchemy import ColumnElement, Connection, func, select

from glyphd.store.tables import import_model_stats, sightings

SIGHTINGS = pl.Schema(
    {
        "canonical_model": pl.String(),
        "import_index": pl.Int64(),
        "price": pl.Float64(),
        "score": pl.Float64(),
    }
)
_ROWS_AT_ONCE = 20_000


@dataclass(frozen=True, slots=True)
class ModelRange:
    """A model over several imports: how many rows, and the range of their prices (USD)."""

    model: str
    listing_count: int
    min_price: float
    max_price: float


def model_ranges(connection: Connection, import_ids: Sequence[str]) -> list[ModelRange]:
    """Return the models of some imports, by name."""
    table = import_model_stats.c
    figures = (func.sum(table.listing_count), func.min(table.min_price), func.max(table.max_price))
    query = select(table.canonical_model, *figures).where(table.import_id.in_(import_ids))
    query = query.group_by(table.canonical_model).order_by(table.canonical_model)
    return [ModelRange(model, int(count), low, high) for model, count, low, high in connection.execute(query)]


def sightings_between(connection: Connection, import_id: str, first: str, last: str) -> pl.DataFrame:
    """Return what an import saw of the models from ``first`` to ``last``, both inclusive, in no order."""
    columns = [sightings.c[name] for name in SIGHTINGS]
    model = sightings.c.canonical_model  # not BETWEEN: PostgreSQL takes no COLLATE in it
    query = select(*columns).where(sightings.c.import_id == import_id, model >= first, model <= last)
    rows = connection.execute(query.execution_options(yield_per=_ROWS_AT_ONCE)).partitions()
    return pl.concat([SIGHTINGS.to_frame(), *map(_frame, rows)])


def cheapest(connection: Connection, import_id: str, models: Sequence[str], limit: int) -> pl.DataFrame:
    """Return the cheapest sightings of some models in an import; the better one first where prices are the same."""
    table = sightings.c
    return _first(connection, import_id, models, (table.price, table.score.desc()), limit)


def most_for_the_money(
    connection: Connection, import_id: str, models: Sequence[str], limit: int, least_price: float
) -> pl.DataFrame:
    """Return the sightings of some models in an import with most score per dollar, of those that cost so much."""
    table = sightings.c
    order = ((table.score / table.price).desc(), table.price)
    return _first(connection, import_id, models, order, limit, table.price >= least_price)


def _first(
    connection: Connection,
    import_id: str,
    models: Sequence[str],
    order: Sequence[ColumnElement[Any]],
    limit: int,
    *conditions: ColumnElement[bool],
) -> pl.DataFrame:
    query = select(*(sightings.c[name] for name in SIGHTINGS))
    query = query.where(sightings.c.import_id == import_id, sightings.c.canonical_model.in_(models), *conditions)
    found = connection.execute(query.order_by(*order, sightings.c.import_index).limit(limit)).all()
    return pl.concat([SIGHTINGS.to_frame(), *([_frame(found)] if found else [])])


def _frame(rows: Sequence[Sequence[object]]) -> pl.DataFrame:
    return pl.DataFrame(list(zip(*rows, strict=True)), schema=SIGHTINGS, orient="col")


def model_groups(models: Sequence[ModelRange], rows: int) -> Iterator[list[ModelRange]]:
    """Cut models into groups of neighbours that have at most so many rows together, or are one model."""
    group: list[ModelRange] = []
    size = 0
    for model in models:
        if group and size + model.listing_count > rows:
            yield group
            group, size = [], 0
        group.append(model)
        size += model.listing_count
    if group:
        yield group
