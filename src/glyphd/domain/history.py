"""Prices through time: calendar buckets in UTC, and what moved between the sightings of one offer."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import zip_longest
from typing import NamedTuple

from glyphd.domain.diff import four_decimals


class Bucket(StrEnum):
    """Over what prices are summed up: a batch, or a stretch of the calendar in UTC; a week begins on Monday."""

    IMPORT = "import"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"


def bucket_start(bucket: Bucket, moment: datetime) -> datetime:
    """Return when the bucket begins that a moment (UTC) is in; a batch's is the moment itself."""
    if bucket is Bucket.IMPORT:
        return moment
    midnight = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    if bucket is Bucket.DAY:
        return midnight
    return midnight - timedelta(days=midnight.weekday() if bucket is Bucket.WEEK else midnight.day - 1)


def bucket_starts(bucket: Bucket, first: datetime, last: datetime) -> Iterator[datetime]:
    """Yield the starts of all buckets of the calendar from one start to another, both included."""
    days = {Bucket.DAY: 1, Bucket.WEEK: 7, Bucket.MONTH: 31}[bucket]
    start = first
    while start < last:
        yield start
        start = bucket_start(bucket, start + timedelta(days=days))
    yield last


@dataclass(frozen=True, slots=True)
class PriceBucket:
    """The prices (USD) of a model in one bucket, percentiles as `percentile_cont`; nulls where it was not seen.

    ``import_id`` and ``source`` are those of the batch, null unless the bucket is one.
    """

    start: datetime
    import_id: str | None
    source: str | None
    count: int
    min: float | None
    p25: float | None
    median: float | None
    p75: float | None
    max: float | None


@dataclass(frozen=True, slots=True)
class RetractedPrices:
    """What an import that was rolled back had of a model: the median price in USD, of all its spellings' the lowest."""

    import_id: str
    source: str
    observed_at: datetime
    count: int
    median: float


@dataclass(frozen=True, slots=True)
class EarlierSighting:
    """The sighting before, of the same offer in the same source."""

    import_id: str
    import_index: int
    observed_at: datetime
    price: float
    score: float


@dataclass(frozen=True, slots=True)
class Sighting:
    """One offer as one import saw it, and what moved since it was last seen in its source: prices in USD.

    The first sighting of an offer has none before, and no changes. Percentages are of the earlier price; changes have
    four decimals at most, as those of a diff.
    """

    import_id: str
    import_index: int
    source: str
    observed_at: datetime
    model: str
    listing_key: str
    price: float
    score: float
    price_change: float | None
    price_change_pct: float | None
    score_change: float | None
    earlier: EarlierSighting | None


@dataclass(frozen=True, slots=True)
class ModelHistory:
    """One page of a model's prices through time, oldest first.

    ``names`` are the spellings of the model in the batch views that are asked for.
    """

    model: str
    names: list[str]
    bucket: Bucket
    items: list[PriceBucket]
    next: str | None


class Seen(NamedTuple):
    """A sighting as it is stored; in order of these members the sightings of one offer are paired."""

    price: float
    score: float
    import_id: str
    import_index: int


def pair_sightings(later: Iterable[Seen], earlier: Iterable[Seen]) -> Iterator[tuple[Seen, Seen | None]]:
    """Pair the sightings of one offer in one view with those of a view before it, in order of price.

    More of them than before: the dearest have none before. Fewer: the dearest of before are gone.
    """
    for now, before in zip_longest(sorted(later), sorted(earlier)):
        if now is not None:
            yield now, before


def change(figure: float, earlier: float) -> float | None:
    """Return by how much a figure moved, to four decimals; None if that is more than a number can be."""
    return four_decimals(figure - earlier)


def change_pct(price: float, earlier: float) -> float | None:
    """Return by how many percent of the earlier price a price moved, to four decimals; None when that was no price."""
    return four_decimals((price - earlier) / earlier * 100) if earlier > 0 else None


@dataclass(frozen=True, slots=True)
class Observation:
    """One batch view of a source as the oracle is told of it: when, and its rows by offer."""

    source: str
    observed_at: datetime
    offers: dict[str, Sequence[Seen]]


def moves_through_time(views: Iterable[Observation]) -> Iterator[tuple[Observation, str, Seen, Seen]]:
    """Yield, from views in order of time, what moved between successive sightings: view, offer, later, earlier.

    The plain reading of what deltas are, which the service's is held against: everything is read, and remembered.
    """
    last: dict[str, dict[str, Sequence[Seen]]] = defaultdict(dict)
    for view in views:
        known = last[view.source]
        for offer, seen in view.offers.items():
            for now, before in pair_sightings(seen, known.get(offer, ())):
                if before is not None and has_moved(now, before):
                    yield view, offer, now, before
            known[offer] = seen


def has_moved(now: Seen, before: Seen) -> bool:
    """Tell whether price or score differ."""
    return (now.price, now.score) != (before.price, before.score)
