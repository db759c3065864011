"""Survey the market and the sources: one entry a model, one entry a source."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from statistics import fmean, median
from typing import Any

from sqlalchemy import Connection

from glyphd.domain.imports import Import
from glyphd.domain.report import ModelSummary, SourceSummary
from glyphd.services.context import Context
from glyphd.store import imports, listings, statistics, visibility
from glyphd.store.visibility import VisibleImport

_FACTS = ("vram_gb", "tdp_watts", "mig_support", "nvlink", "generation", "cuda_cores", "slot_width", "pcie_generation")


@dataclass(frozen=True, slots=True)
class Market:
    """Which market is meant: the current view, or that as of a moment; of all sources, or of one."""

    as_of: datetime | None = None
    source: str | None = None


CURRENT = Market()


def survey_models(
    context: Context, market: Market = CURRENT, *, limit: int, after: str | None = None
) -> list[ModelSummary]:
    """Return models of a market, by name, from the first one past ``after``."""
    with context.database.reading() as connection:
        found = visibility.market_imports(connection, as_of=market.as_of, source=market.source)
        visible = {entry.import_id: entry for entry in found}
        figures = statistics.model_figures(connection, list(visible), limit=limit, after=after)
        return [
            _model_summary(connection, model, list(rows), visible)
            for model, rows in groupby(figures, key=lambda row: str(row["canonical_model"]))
        ]


def _model_summary(
    connection: Connection, model: str, figures: list[dict[str, Any]], visible: Mapping[str, VisibleImport]
) -> ModelSummary:
    only = figures[0]
    prices: dict[str, Any] = {name: only[name] for name in ("min_price", "median_price", "max_price", "avg_price")}
    if len(figures) > 1:  # medians cannot be merged: what spans imports reads the sightings
        found = statistics.prices_of(connection, [row["import_id"] for row in figures], model)
        prices = {
            "min_price": found[0],
            "median_price": median(found),
            "max_price": found[-1],
            "avg_price": fmean(found),
        }
    example = listings.example_row(connection, max(row["import_id"] for row in figures), model) or {}
    observed = [visible[row["import_id"]].observed_at for row in figures]
    return ModelSummary(
        model=model,
        last_seen_at=max(filter(None, observed), default=None),
        listing_count=sum(row["listing_count"] for row in figures),
        **prices,
        **{name: example.get(name) for name in _FACTS},  # type: ignore[arg-type] # one row's values, each of its kind
    )


def name_sources(context: Context) -> list[str]:
    """Return the names of all sources, in order."""
    with context.database.reading() as connection:
        return [latest.source for latest, _ in imports.latest_by_source(connection)]


def survey_sources(context: Context) -> list[SourceSummary]:
    """Return every source, by name."""
    with context.database.reading() as connection:
        batches = [imports.find_import(connection, batch) for batch in visibility.current_batches(connection)]
        current = {entry.source: entry for entry in batches}
        return [
            _source_summary(latest, count, current.get(latest.source))
            for latest, count in imports.latest_by_source(connection)
        ]


def _source_summary(latest: Import, count: int, current: Import | None) -> SourceSummary:
    return SourceSummary(
        source=latest.source,
        imports=count,
        source_version=current.source_version if current else None,
        latest_import_id=latest.import_id,
        latest_status=latest.status,
        latest_imported_at=latest.imported_at,
        current_import_id=current.import_id if current else None,
        current_observed_at=current.observed_at if current else None,
        current_published_at=current.published_at if current else None,
        received=current.received if current else None,
        count=current.count if current else None,
        rejected=current.rejected if current else None,
    )
