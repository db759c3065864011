"""Watch the market: what every model of a view costs, how that moved since the batch before, when it was last seen.

All of it comes from the figures that are kept by import and model; only a median over several imports reads prices.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from functools import partial
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
        models = [_watched(rows, visible) for rows in figures.values()]
        costly: dict[str, Callable[[list[WatchedModel]], list[WatchedModel]]] = {
            "median_price": partial(_with_medians, connection, figures),
            "change": partial(_with_changes, connection, {entry.batch_id for entry in found}),
        }
        by_costly = costly.pop(sort.figure, None)  # of all models what they are sorted by, else of those of the page
        page = _in_order(by_costly(models) if by_costly else models, sort)[offset : offset + limit]
        for complete in costly.values():
            page = complete(page)
        return page, len(models)


def count_merged(context: Context, market: Market = CURRENT) -> int:
    """Return how many rows there are of models that several imports of a view have: medians of them are read anew."""
    with context.database.reading() as connection:
        found = visibility.market_imports(connection, as_of=market.as_of, source=market.source)
        return statistics.count_merged(connection, [entry.import_id for entry in found])


def _name(figures: Mapping[str, Any]) -> str:
    return str(figures["canonical_model"])


def _watched(rows: Sequence[Mapping[str, Any]], visible: Mapping[str, VisibleImport]) -> WatchedModel:
    observed = (visible[row["import_id"]].observed_at for row in rows)
    return WatchedModel(
        model=_name(rows[0]),
        listing_count=sum(row["listing_count"] for row in rows),
        min_price=min(row["min_price"] for row in rows),
        median_price=rows[0]["median_price"],
        max_price=max(row["max_price"] for row in rows),
        change=None,
        last_seen_at=max(filter(None, observed), default=None),
    )


def _with_medians(
    connection: Connection, figures: Mapping[str, Sequence[Mapping[str, Any]]], models: Sequence[WatchedModel]
) -> list[WatchedModel]:
    """Return models with the median over all their imports."""
    return [replace(each, median_price=_median(connection, figures[each.model])) for each in models]


def _median(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> float:
    """Return the median price of a model, given its figures in each import: medians of several cannot be merged."""
    if len(rows) == 1:
        return float(rows[0]["median_price"])
    return median(statistics.prices_of(connection, [row["import_id"] for row in rows], _name(rows[0])))


def _with_changes(connection: Connection, batch_ids: set[str], models: Sequence[WatchedModel]) -> list[WatchedModel]:
    """Return models with how far their medians moved, source by source since the batch before."""
    moves: dict[str, list[float]] = defaultdict(list)
    names = {each.model for each in models}
    for batch_id in batch_ids:
        earlier_id = visibility.earlier_batch(connection, batch_id)
        if earlier_id is None:
            continue
        now, earlier = (_medians_of_view(connection, each, names) for each in (batch_id, earlier_id))
        for model in now.keys() & earlier.keys():
            if earlier[model] > 0:
                moves[model].append(now[model] / earlier[model] - 1)
    return [replace(each, change=median(moves[each.model]) if moves[each.model] else None) for each in models]


def _medians_of_view(connection: Connection, batch_id: str, names: Collection[str]) -> dict[str, float]:
    """Return the median price of each of these models in the view of a batch, its amendments included."""
    import_ids = [entry.import_id for entry in visibility.view_of(connection, batch_id)]
    if len(import_ids) == 1:
        return statistics.median_prices(connection, import_ids[0])
    found = groupby(statistics.every_figure(connection, import_ids), _name)
    return {model: _median(connection, list(rows)) for model, rows in found if model in names}


def _in_order(models: Sequence[WatchedModel], sort: WatchSort) -> list[WatchedModel]:
    by_name = sorted(models, key=lambda each: each.model)
    known = [each for each in by_name if getattr(each, sort.figure) is not None]
    known.sort(key=lambda each: getattr(each, sort.figure), reverse=sort.startswith("-"))
    return [*known, *(each for each in by_name if getattr(each, sort.figure) is None)]
