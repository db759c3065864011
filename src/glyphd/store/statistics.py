"""Figures per import and model, and what they tell about an import without reading its rows."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, and_, func, select

from glyphd.domain.history import RetractedPrices
from glyphd.domain.imports import Status
from glyphd.store.driver_rows import driver_rows
from glyphd.store.tables import import_batches, import_facets, import_model_stats, models, sightings


def top_models(connection: Connection, import_id: str, limit: int) -> list[tuple[str, int]]:
    """Return the models with the most rows in an import, and how many."""
    table = import_model_stats.c
    query = (
        select(table.canonical_model, table.listing_count)
        .where(table.import_id == import_id)
        .order_by(table.listing_count.desc(), table.canonical_model)
        .limit(limit)
    )
    return [(model, count) for model, count in connection.execute(query)]


def models_matching(connection: Connection, key: str) -> list[str]:
    """Return the models whose name equals ``key`` (see ``domain.listing.model_key``) but for case, spaces, `-`, `_`."""
    name: Any = models.c.model
    for dropped in (" ", "-", "_"):
        name = func.replace(name, dropped, "")
    return list(connection.execute(select(models.c.model).where(func.lower(name) == key)).scalars())


def has_model(connection: Connection, import_id: str, names: Sequence[str]) -> bool:
    """Tell whether an import has rows of one of these models."""
    table = import_model_stats.c
    query = select(table.import_id).where(table.import_id == import_id, table.canonical_model.in_(names)).limit(1)
    return connection.execute(query).first() is not None


def has_facet(connection: Connection, import_id: str, field: str, value: str) -> bool:
    """Tell whether an import has rows with this value of a counted facet."""
    table = import_facets.c
    query = select(table.import_id).where(table.import_id == import_id, table.field == field, table.value == value)
    return connection.execute(query).first() is not None


def model_figures(
    connection: Connection, import_ids: Sequence[str], *, limit: int, after: str | None = None
) -> list[dict[str, Any]]:
    """Return the statistics rows of some imports for the first ``limit`` models past ``after``, by model."""
    table = import_model_stats
    inside = and_(table.c.import_id.in_(import_ids), table.c.canonical_model > (after or ""))
    names = select(table.c.canonical_model).where(inside).distinct().order_by(table.c.canonical_model).limit(limit)
    chosen = list(connection.execute(names).scalars())
    last = chosen[-1] if chosen else ""
    query = select(table).where(inside, table.c.canonical_model <= last)
    query = query.order_by(table.c.canonical_model, table.c.import_id)
    return [dict(row) for row in connection.execute(query).mappings()]


def every_figure(connection: Connection, import_ids: Sequence[str]) -> list[dict[str, Any]]:
    """Return the statistics rows of some imports, by model."""
    table = import_model_stats
    query = select(table).where(table.c.import_id.in_(import_ids))
    return [dict(row) for row in connection.execute(query.order_by(table.c.canonical_model)).mappings()]


def count_merged(connection: Connection, import_ids: Sequence[str]) -> int:
    """Return how many rows some imports have of the models that several of them have."""
    table = import_model_stats.c
    models = select(func.sum(table.listing_count).label("rows")).where(table.import_id.in_(import_ids))
    several = models.group_by(table.canonical_model).having(func.count() > 1).subquery()
    return int(connection.execute(select(func.coalesce(func.sum(several.c.rows), 0))).scalar_one())


def median_prices(connection: Connection, import_id: str) -> dict[str, float]:
    """Return the median price (USD) of each model in an import."""
    table = import_model_stats.c
    query = select(table.canonical_model, table.median_price).where(table.import_id == import_id)
    return {row.canonical_model: row.median_price for row in connection.execute(query)}


def rolled_back_prices(
    connection: Connection, names: Sequence[str], *, source: str | None = None
) -> list[RetractedPrices]:
    """Return what the imports that are rolled back have of some spellings of a model, in order of time."""
    stats, batch = import_model_stats.c, import_batches.c
    observed = func.coalesce(batch.observed_at, batch.imported_at)
    figures = (func.sum(stats.listing_count), func.min(stats.median_price))
    named = func.coalesce(batch.source, "default")
    query = (
        select(batch.import_id, named, observed, *figures)
        .join(import_model_stats, stats.import_id == batch.import_id)
        .where(batch.status == Status.ROLLED_BACK, stats.canonical_model.in_(names))
        .group_by(batch.import_id, named, observed)
        .order_by(observed, batch.import_id)
    )
    if source is not None:
        query = query.where(named == source)
    return [RetractedPrices(*row) for row in connection.execute(query)]


def prices_of(connection: Connection, import_ids: Sequence[str], model: str) -> list[float]:
    """Return all prices of one model in some imports, ascending: medians of several imports cannot be merged.

    They are taken from the driver's cursor: 1M in 0.46 s, 0.83 s as rows of the library.
    """
    table = sightings.c
    query = select(table.price).where(table.import_id.in_(import_ids), table.canonical_model == model)
    with driver_rows(connection, query) as rows:
        return sorted(price for (price,) in rows)
