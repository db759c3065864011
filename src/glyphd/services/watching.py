"""Watch the market: what every model of a view costs, how that moved since the batch before, when it was last seen.

All of it comes from the figures that are kept by import and model; only a median over several imports reads prices.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from itertools import groupby
from statistics import median
from typing import Any

from sqlalchemy import Connection

from glyphd.domain.listing import model_key
from glyphd.services.context import Context
from glyphd.services.surveying import CURRENT, Market
from glyphd.store import statistics, visibility
from glyphd.store.visibility import VisibleImport


class WatchSort(StrEnum):
    """In what order models are told; a `-` puts the greatest first, and what has no such figure always comes last."""

    NAME = "model"
    NAME_BACK = "-model"
    MOST_LISTINGS = "-listing_count"
    FEWEST_LISTINGS = "listing_count"
    DEAREST = "-max_price"
    CHEAPEST_OF_DEAREST = "max_price"
    CHEAPEST = "min_price"
    DEAREST_OF_CHEAPEST = "-min_price"
    MEDIAN = "median_price"
    MEDIAN_BACK = "-median_price"
    RISEN = "-change"
    FALLEN = "change"
    FRESHEST = "-last_seen_at"
    STALEST = "last_seen_at"

    @property
    def figure(self) -> str:
        """What it is sorted by."""
        return self.removeprefix("-")


@dataclass(frozen=True, slots=True)
class WatchedModel:
    """A model in a view of the market; prices in USD.

    ``change`` is how far its median price moved since the batch before of the same source, as a share of the earlier
    one; where several sources have it, the median of their changes. None where no batch before had it.
    """

    model: str
    listing_count: int
    min_price: float
    median_price: float
    max_price: float
    change: float | None
    last_seen_at: datetime | None


def watch_market(
    context: Context, market: Market = CURRENT, sort: WatchSort = WatchSort.NAME, *, named: str, limit: int, offset: int
) -> tuple[list[WatchedModel], int]:
    """Return a page of the models whose names have ``named`` in them, and how many there are in all."""
    with context.database.reading() as connection:
        found = visibility.market_imports(connection, as_of=market.as_of, source=market.source)
        visible = {entry.import_id: entry for entry in found}
        figures: dict[str, list[dict[str, Any]]] = {
            model: list(rows)
            for model, rows in groupby(statistics.every_figure(connection, list(visible)), _name)
            if model_key(named) in model_key(model)
        }
        changes = _changes(connection, {entry.batch_id for entry in found})
        models = [_watched(rows, visible, changes) for rows in figures.values()]
        by_median = sort.figure == "median_price"
        wanted = [_with_median(connection, each, figures) for each in models] if by_median else models
        page = _in_order(wanted, sort)[offset : offset + limit]
        return page if by_median else [_with_median(connection, each, figures) for each in page], len(models)


def _name(figures: Mapping[str, Any]) -> str:
    return str(figures["canonical_model"])


def _watched(
    rows: Sequence[Mapping[str, Any]], visible: Mapping[str, VisibleImport], changes: Mapping[str, float]
) -> WatchedModel:
    observed = (visible[row["import_id"]].observed_at for row in rows)
    return WatchedModel(
        model=_name(rows[0]),
        listing_count=sum(row["listing_count"] for row in rows),
        min_price=min(row["min_price"] for row in rows),
        median_price=rows[0]["median_price"],
        max_price=max(row["max_price"] for row in rows),
        change=changes.get(_name(rows[0])),
        last_seen_at=max(filter(None, observed), default=None),
    )


def _with_median(
    connection: Connection, watched: WatchedModel, figures: Mapping[str, Sequence[Mapping[str, Any]]]
) -> WatchedModel:
    """Return a model with the median over all its imports: medians cannot be merged."""
    import_ids = [row["import_id"] for row in figures[watched.model]]
    if len(import_ids) == 1:
        return watched
    return replace(watched, median_price=median(statistics.prices_of(connection, import_ids, watched.model)))


def _changes(connection: Connection, batch_ids: set[str]) -> dict[str, float]:
    """Return how far the median price of each model moved, source by source since the batch before."""
    moves: dict[str, list[float]] = defaultdict(list)
    for batch_id in batch_ids:
        earlier_id = visibility.earlier_batch(connection, batch_id)
        if earlier_id is None:
            continue
        standing = [visibility.standing_for(connection, each) for each in (batch_id, earlier_id)]
        now, earlier = (statistics.median_prices(connection, import_id) for import_id in standing)
        for model in now.keys() & earlier.keys():
            if earlier[model] > 0:
                moves[model].append(now[model] / earlier[model] - 1)
    return {model: median(found) for model, found in moves.items()}


def _in_order(models: Sequence[WatchedModel], sort: WatchSort) -> list[WatchedModel]:
    by_name = sorted(models, key=lambda each: each.model)
    known = [each for each in by_name if getattr(each, sort.figure) is not None]
    known.sort(key=lambda each: getattr(each, sort.figure), reverse=sort.startswith("-"))
    return [*known, *(each for each in by_name if getattr(each, sort.figure) is None)]
