"""Figures of the market, by column: what :class:`MarketReport` tells of rows that come some models at a time."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import polars as pl

from glyphd.domain.market_report import (
    LEAST_PRICE,
    LEAST_SCALE,
    MIN_LISTINGS,
    NORMAL_MAD,
    THRESHOLD,
    ModelMarket,
    Spread,
    SummaryStats,
)

TOP = 10
TOP_OF_STEP = 3
ANOMALIES = 20
MODELS = 500

_QUANTILES = {"min": 0.0, "p25": 0.25, "median": 0.5, "p75": 0.75, "max": 1.0}
_price, _score = pl.col("price"), pl.col("score")
_BY_SCORE = {"score": True, "price": False}
_BY_VALUE = {"score_per_dollar": True, "price": False}
_BY_DISTANCE = {"distance": True}


@dataclass(slots=True)
class Best:
    """The first rows in an order, of which the columns named True are descending; ties go by place in the view."""

    order: dict[str, bool]
    limit: int
    rows: pl.DataFrame | None = None

    def add(self, rows: pl.DataFrame) -> None:
        """Take more rows."""
        by = [*self.order, "place", "import_index"]
        descending = [*self.order.values(), False, False]
        found = rows if self.rows is None else pl.concat([self.rows, rows])
        self.rows = found.bottom_k(self.limit, by=by, reverse=descending).sort(by, descending=descending)


@dataclass(slots=True)
class Shelf:
    """What a budget (USD) buys."""

    budget: float
    best: Best
    count: int = 0

    def add(self, rows: pl.DataFrame) -> None:
        """Take more rows, and count those that cost no more."""
        bought = rows.filter(_price <= self.budget)
        self.count += bought.height
        self.best.add(bought)


@dataclass(slots=True)
class MarketFigures:
    """What is to be told of rows; each model's come all at once. Frames have `place` of the import beside SIGHTINGS."""

    shelves: list[Shelf]
    top_ranked: Best = field(default_factory=lambda: Best(_BY_SCORE, TOP))
    best_value: Best = field(default_factory=lambda: Best(_BY_VALUE, TOP))
    anomalies: Best = field(default_factory=lambda: Best(_BY_DISTANCE, ANOMALIES))
    anomaly_count: int = 0
    model_count: int = 0
    models: pl.DataFrame | None = None
    _prices: list[pl.Series] = field(default_factory=list)
    _scores: list[pl.Series] = field(default_factory=list)

    def add(self, rows: pl.DataFrame) -> None:
        """Take all rows of some models."""
        self._prices.append(rows["price"])
        self._scores.append(rows["score"])
        self._add_models(rows)
        far = deviating(rows)
        self.anomaly_count += far.height
        self.anomalies.add(far)
        self.top_ranked.add(rows)
        value = rows.filter(_price >= LEAST_PRICE).with_columns((_score / _price).alias("score_per_dollar"))
        self.best_value.add(value)
        for shelf in self.shelves:
            shelf.add(rows)

    def _add_models(self, rows: pl.DataFrame) -> None:
        spreads = [
            pl.col(figure).quantile(share, "linear").alias(f"{figure}_{name}")
            for figure in ("price", "score")
            for name, share in _QUANTILES.items()
        ]
        found = rows.group_by("canonical_model").agg(pl.len().alias("listing_count"), *spreads)
        self.model_count += found.height
        together = found if self.models is None else pl.concat([self.models, found])
        order = ["listing_count", "canonical_model"]
        self.models = together.sort(order, descending=[True, False]).head(MODELS)

    def markets(self) -> list[ModelMarket]:
        """Return the models with the most rows."""
        rows = [] if self.models is None else self.models.iter_rows(named=True)
        return [
            ModelMarket(
                row["canonical_model"],
                row["listing_count"],
                Spread(**{name: row[f"price_{name}"] for name in _QUANTILES}),
                Spread(**{name: row[f"score_{name}"] for name in _QUANTILES}),
            )
            for row in rows
        ]

    def summary(self) -> SummaryStats:
        """Return the rows taken together."""
        count = sum(map(len, self._prices))
        return SummaryStats(count, self.model_count, _spread(self._prices), _spread(self._scores))


def deviating(rows: pl.DataFrame) -> pl.DataFrame:
    """Return the rows that the oracle (``deviations``) finds, with `median`, `deviation` and its size, `distance`."""
    model = "canonical_model"
    middle = _price.median().over(model).alias("median")
    mad = (_price - pl.col("median")).abs().median().over(model)
    scale = pl.max_horizontal(NORMAL_MAD * mad, LEAST_SCALE * pl.col("median"))
    deviation = ((_price - pl.col("median")) / pl.col("scale")).alias("deviation")
    return (
        rows.filter(pl.len().over(model) >= MIN_LISTINGS)
        .with_columns(middle)
        .with_columns(scale.alias("scale"))
        .filter(pl.col("scale") > 0)
        .with_columns(deviation)
        .with_columns(pl.col("deviation").abs().alias("distance"))
        .filter(pl.col("distance") > THRESHOLD)
        .drop("scale")
    )


def shelves_for(budgets: Sequence[float], limit: int) -> list[Shelf]:
    """Return empty shelves, one a budget."""
    return [Shelf(budget, Best(_BY_SCORE, limit)) for budget in budgets]


def _spread(figures: Sequence[pl.Series]) -> Spread | None:
    if not any(map(len, figures)):
        return None
    ordered = pl.concat(figures).sort()
    found = {name: ordered.quantile(share, "linear") for name, share in _QUANTILES.items()}
    return Spread(**{name: float(value) for name, value in found.items() if value is not None})
