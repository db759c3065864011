"""The market report: what one import, or a view of the market, says of prices (DESIGN §6). Prices are USD.

All figures are order statistics of the rows: exact, and the same whatever order the rows are read in. Nothing here
tells the time, so that a report of an import reads the same years later.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from statistics import median

from glyphd.domain.diff import DiffFigures, ModelDiff
from glyphd.domain.imports import Artifact, Kind


class ReportFormat(StrEnum):
    """As what a market report is written."""

    JSON = "json"
    MARKDOWN = "md"
    HTML = "html"

    @property
    def media_type(self) -> str:
        """Return the media type of such a report."""
        return {"json": "application/json", "md": "text/markdown; charset=utf-8"}.get(self, "text/html; charset=utf-8")


@dataclass(frozen=True, slots=True)
class MarketQuery:
    """What is reported on: one import, or the current view, or that as of a moment. ``budget`` is in USD."""

    import_id: str | None = None
    as_of: datetime | None = None
    source: str | None = None
    budget: float | None = None


@dataclass(frozen=True, slots=True)
class Spread:
    """How a figure is spread; percentiles as SQL's `percentile_cont`."""

    min: float
    p25: float
    median: float
    p75: float
    max: float


@dataclass(frozen=True, slots=True)
class ReportedImport:
    """An import that the report is about, as far as nothing can change it later; ``error_counts`` is by code."""

    import_id: str
    source: str
    source_version: int | None
    kind: Kind
    previous_import_id: str | None
    parent_import_id: str | None
    schema_version: str
    observed_at: datetime | None
    imported_at: datetime
    received: int
    count: int
    rejected: int
    error_counts: dict[str, int]
    warning_counts: dict[str, int]
    artifacts: list[Artifact]


@dataclass(frozen=True, slots=True)
class SummaryStats:
    """The rows taken together; ranges are null where there are none."""

    listing_count: int
    model_count: int
    price: Spread | None
    score: Spread | None


@dataclass(frozen=True, slots=True)
class ModelMarket:
    """The market of one model."""

    model: str
    listing_count: int
    price: Spread
    score: Spread


@dataclass(frozen=True, slots=True)
class Offer:
    """One row, named by its import and its position there."""

    import_id: str
    import_index: int
    listing_key: str
    model: str
    price: float
    score: float
    score_per_dollar: float | None
    condition: str | None
    seller: str | None
    region: str | None
    source_url: str | None


@dataclass(frozen=True, slots=True)
class BudgetShelf:
    """What a budget (USD) buys: how many rows cost no more, and the best of them by score."""

    budget: float
    listing_count: int
    best: list[Offer]


@dataclass(frozen=True, slots=True)
class Anomaly:
    """A row whose price is far from the median of its model; ``deviation`` is how many scales, below it negative."""

    offer: Offer
    median_price: float
    deviation: float


@dataclass(frozen=True, slots=True)
class Anomalies:
    """Rows whose prices are far from those of their model: how many, and the farthest; see :func:`deviations`."""

    count: int
    threshold: float
    min_listings: int
    items: list[Anomaly]


@dataclass(frozen=True, slots=True)
class Quality:
    """What became of the records: ``received = count + rejected``; rejections and warnings by code."""

    received: int
    count: int
    rejected: int
    error_counts: dict[str, int]
    warning_counts: dict[str, int]


@dataclass(frozen=True, slots=True)
class ReportedChanges:
    """What changed from the previous import of the source to this one, and in which models most.

    ``figures`` is null once the previous import was purged: its rows are gone.
    """

    import_id: str
    source: str
    previous_import_id: str
    figures: DiffFigures | None
    models: list[ModelDiff]


@dataclass(frozen=True, slots=True)
class MarketReport:
    """A market report. ``import_id`` is null for a view of the market; its imports are the newest first.

    ``models`` are those with the most rows first; ``models_truncated``: there are more. ``top_ranked`` are the best by
    score, ``best_value`` by score per dollar. ``changes`` has an entry for each import that follows another one.
    """

    import_id: str | None
    as_of: datetime | None
    source: str | None
    imports: list[ReportedImport]
    summary_stats: SummaryStats
    models: list[ModelMarket]
    models_truncated: bool
    top_ranked: list[Offer]
    best_value: list[Offer]
    under_budget: list[BudgetShelf]
    anomalies: Anomalies
    changes: list[ReportedChanges]
    quality: Quality
    markdown: str


THRESHOLD = 3.5
"""Beyond so many scales from the median a price is an anomaly: Iglewicz and Hoaglin's rule for modified z-scores."""

MIN_LISTINGS = 5
"""Of fewer rows of a model nothing is said: each would be a quarter of the market."""

NORMAL_MAD = 1.4826
"""Makes the median absolute deviation (MAD) of a normal distribution its standard deviation."""

LEAST_SCALE = 0.02
"""A scale is at least this share of the median: where most ask the same price the MAD is 0, or next to it."""

LEAST_PRICE = 0.01
"""USD. Databases in the field hold prices of nothing, of which there is no score per dollar."""

BUDGETS = (500.0, 1_000.0, 2_500.0, 5_000.0, 10_000.0, 25_000.0, 50_000.0)


def deviations(prices: Sequence[float]) -> list[float]:
    """Return how far each price of one model is from the median, in scales; 0 for all where there are too few.

    The scale is ``max(1.4826 * MAD, 2 % of the median)``. Beyond :data:`THRESHOLD` a price is an anomaly. This is the
    oracle of what services compute by column.
    """
    if len(prices) < MIN_LISTINGS:
        return [0.0] * len(prices)
    middle = median(prices)
    scale = max(NORMAL_MAD * median(abs(price - middle) for price in prices), LEAST_SCALE * middle)
    return [(price - middle) / scale if scale > 0 else 0.0 for price in prices]


def budgets_for(lowest: float, highest: float) -> list[float]:
    """Return the budgets to report on where none is given: the steps that buy something, up to one that buys all."""
    steps = [step for step in BUDGETS if step >= lowest]
    return [step for place, step in enumerate(steps) if place == 0 or steps[place - 1] < highest]
