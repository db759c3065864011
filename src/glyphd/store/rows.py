"""The rows of an import as a worker writes, counts and removes them."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import polars as pl
from sqlalchemy import Connection, Table, delete, func, select, tuple_

from glyphd.domain.listing import FIELDS
from glyphd.store.tables import (
    import_facets,
    import_model_stats,
    import_rejections,
    listings,
    models,
    quantized_listings,
    row_key,
    scored_listings,
    sightings,
)
from glyphd.store.unit_of_work import UnitOfWork

_MODEL_FACTS = (
    "vram_gb",
    "tdp_watts",
    "mig_support",
    "nvlink",
    "generation",
    "cuda_cores",
    "slot_width",
    "pcie_generation",
)
MODELS_REMEMBERED = 100_000

_DERIVED = (sightings, import_model_stats, import_facets)


def append_listings(work: UnitOfWork, import_id: str, accepted: pl.DataFrame, now: datetime) -> None:
    """Insert accepted rows: `import_index` and every field of the contract, in the types of the contract."""
    rows = accepted.select("import_index", *(field.name for field in FIELDS))
    work.append(scored_listings, rows, _written(import_id, now))


def insert_new_models(work: UnitOfWork, import_id: str, accepted: pl.DataFrame, known: set[str], now: datetime) -> None:
    """Insert the models that no import has named before, with the facts of their first row; update ``known``."""
    unknown = set(accepted["canonical_model"].unique().to_list()) - known
    if not unknown:
        return
    fresh = accepted.select(pl.col("canonical_model").alias("model"), *_MODEL_FACTS)
    fresh = fresh.unique("model", keep="first", maintain_order=True).filter(pl.col("model").is_in(list(unknown)))
    work.append(models, fresh.sort("model"), _written(import_id, now), keep_existing=True)
    if len(known) > MODELS_REMEMBERED:
        known.clear()
    known |= unknown


def append_sightings(work: UnitOfWork, import_id: str, frame: pl.DataFrame) -> None:
    """Insert sightings, sorted as their primary key is: always at the right edge of the tree."""
    work.append(sightings, frame, {"import_id": import_id})


def append_statistics(work: UnitOfWork, import_id: str, frame: pl.DataFrame) -> None:
    """Insert the figures of models."""
    work.append(import_model_stats, frame, {"import_id": import_id})


def append_facets(work: UnitOfWork, import_id: str, frame: pl.DataFrame) -> None:
    """Insert the counts of facet values."""
    work.append(import_facets, frame, {"import_id": import_id})


def count_listings(connection: Connection, import_id: str) -> tuple[int, int]:
    """Return how many rows the database holds for an import, and the sum of their import_index."""
    table = scored_listings.c
    query = select(func.count(), func.coalesce(func.sum(table.import_index), 0)).where(table.import_id == import_id)
    count, total = connection.execute(query).one()
    return count, total


def count_sightings(connection: Connection, import_id: str) -> int:
    """Return how many sightings the database holds for an import."""
    return connection.execute(
        select(func.count()).select_from(sightings).where(sightings.c.import_id == import_id)
    ).scalar_one()


def count_orphans(connection: Connection, import_id: str) -> int:
    """Return how many rows of an import name a model that is not in `models` (G1), checked set-wise."""
    query = (
        select(func.count())
        .select_from(import_model_stats.outerjoin(models, models.c.model == import_model_stats.c.canonical_model))
        .where(import_model_stats.c.import_id == import_id, models.c.id.is_(None))
    )
    return connection.execute(query).scalar_one()


def removals(*, with_rejections: bool) -> Iterator[Table]:
    """Name the tables that hold rows of an import, derived ones first.

    With rejections they are all that do: raw and quantized listings are in databases from the field.
    """
    yield from _DERIVED
    if with_rejections:
        yield quantized_listings
    yield scored_listings
    if with_rejections:
        yield listings
        yield import_rejections


def remove_some(connection: Connection, table: Table, import_id: str, limit: int) -> int:
    """Delete at most ``limit`` rows of an import from one table; return how many went."""
    key = row_key(table)
    chosen = select(*key).where(table.c.import_id == import_id).limit(limit)
    return connection.execute(delete(table).where(tuple_(*key).in_(chosen))).rowcount


def _written(import_id: str, now: datetime) -> dict[str, Any]:
    second = now.replace(microsecond=0)  # as CURRENT_TIMESTAMP has it on SQLite
    return {"import_id": import_id, "created_at": second, "updated_at": second}
