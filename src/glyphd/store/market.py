"""What a market report reads: figures by model over several imports, and their sightings, some models at a time."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import polars as pl
from sqlalchemy import Connection, func, select

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
