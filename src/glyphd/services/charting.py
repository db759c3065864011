"""Chart the prices of a model: the batch views are chosen first, then the figures of each import that has the model.

A bucket of one import has that import's stored figures. Percentiles of several cannot be merged: of those buckets one
statement reads all prices.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby, islice
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection

from glyphd.domain.history import Bucket, PriceBucket, bucket_start, bucket_starts
from glyphd.domain.listing import model_key
from glyphd.errors import CountsDisagree
from glyphd.services.context import Context
from glyphd.services.periods import Period, Place, nth_at_each_moment, views_within
from glyphd.store import sightings, statistics
from glyphd.store.sightings import ModelPrices
from glyphd.store.visibility import VisibleImport

_SHARES = {"min": 0.0, "p25": 0.25, "median": 0.5, "p75": 0.75, "max": 1.0}
_UNSEEN: dict[str, None] = dict.fromkeys(_SHARES)


@dataclass(frozen=True, slots=True)
class PricePage:
    """One page of buckets, oldest first; ``last`` is None on the last page.

    ``names`` are the spellings of the model in what the whole answer is made of, not in this page alone.
    """

    names: list[str]
    items: list[PriceBucket]
    last: Place | None


class _Slot(NamedTuple):
    """A bucket before its prices are read: where it begins, whose it is if it is a batch's, and its imports."""

    start: datetime
    import_id: str | None
    source: str | None
    import_ids: Sequence[str]


def chart_prices(
    context: Context, model: str, bucket: Bucket, period: Period, *, limit: int, after: Place | None = None
) -> PricePage:
    """Return the prices of a model by bucket, from the first to the last one that has it; all of one state.

    Spellings that differ in case, spaces, `-` and `_` are one model; one that is not known has no buckets.
    """
    with context.database.reading() as connection:
        known = statistics.models_matching(connection, model_key(model))
        visible = views_within(connection, period) if known else []
        having = sightings.prices_of_models(connection, [entry.import_id for entry in visible], known)
        views = _from_first_to_last(visible, {each.import_id for each in having})
        placed = nth_at_each_moment(_slots(views, bucket), key=lambda slot: slot.start)
        pending = ((place, slot) for place, slot in placed if after is None or place > after)
        page = list(islice(pending, limit + 1))
        items = _summed_up(connection, [slot for _, slot in page[:limit]], having)
    return PricePage(sorted({each.model for each in having}), items, page[limit - 1][0] if len(page) > limit else None)


def _from_first_to_last(views: Sequence[VisibleImport], having: Collection[str]) -> Sequence[VisibleImport]:
    """Cut views in order of time to those from the first batch that has the model to the last one."""
    batches = {entry.batch_id for entry in views if entry.import_id in having}
    found = [position for position, entry in enumerate(views) if entry.batch_id in batches]
    return views[found[0] : found[-1] + 1] if found else []


def _slots(views: Sequence[VisibleImport], bucket: Bucket) -> Iterator[_Slot]:
    if bucket is Bucket.IMPORT:
        for batch_id, view in groupby(views, key=lambda entry: entry.batch_id):
            entries = list(view)
            import_ids = [entry.import_id for entry in entries]
            yield _Slot(entries[0].moment, batch_id, entries[0].source, import_ids)
    elif views:
        starts = {
            start: [entry.import_id for entry in entries]
            for start, entries in groupby(views, key=lambda entry: bucket_start(bucket, entry.moment))
        }
        for start in bucket_starts(bucket, min(starts), max(starts)):
            yield _Slot(start, None, None, starts.get(start, []))


def _summed_up(connection: Connection, slots: Sequence[_Slot], having: Sequence[ModelPrices]) -> list[PriceBucket]:
    stored: dict[str, list[ModelPrices]] = {}
    for each in having:
        stored.setdefault(each.import_id, []).append(each)
    of_slots = [[each for import_id in slot.import_ids for each in stored.get(import_id, ())] for slot in slots]
    read = iter(_read(connection, [found for found in of_slots if len(found) > 1]))
    items = []
    for slot, found in zip(slots, of_slots, strict=True):
        figures = next(read) if len(found) > 1 else _stored(found)
        items.append(PriceBucket(slot.start, slot.import_id, slot.source, sum(each.rows for each in found), **figures))
    return items


def _stored(found: Sequence[ModelPrices]) -> Mapping[str, float | None]:
    """Return the figures of what is alone in its bucket; of nothing, none."""
    return {name: getattr(found[0], name) for name in _SHARES} if found else _UNSEEN


def _read(connection: Connection, together: Sequence[Sequence[ModelPrices]]) -> list[dict[str, float]]:
    """Return the percentiles of what is in one bucket, for each of some buckets, from all of its prices.

    Raises CountsDisagree when there are more or fewer prices than the stored figures are of.
    """
    parts = sorted(
        (each.import_id, each.model, each.rows, number) for number, found in enumerate(together) for each in found
    )
    import_ids, models = sorted({part[0] for part in parts}), sorted({part[1] for part in parts})
    prices = sightings.prices_in_order(connection, import_ids, models)
    numbers = np.repeat(*(np.array([part[column] for part in parts], dtype=np.int64) for column in (3, 2)))
    if len(prices) != len(numbers):
        raise CountsDisagree(f"The statistics count {len(numbers)} rows, there are {len(prices)}.")
    return _percentiles(numbers, prices)


def _percentiles(numbers: NDArray[np.int64], prices: NDArray[np.float64]) -> list[dict[str, float]]:
    """Return the percentiles of each slot, of which each has prices, interpolated linearly, in order of the numbers."""
    ranked = prices[np.lexsort((prices, numbers))]
    counts = np.bincount(numbers)
    starts = np.cumsum(counts) - counts
    columns = []
    for share in _SHARES.values():
        place = (counts - 1) * share
        below, above = np.floor(place).astype(np.int64), np.ceil(place).astype(np.int64)
        lower, upper = ranked[starts + below], ranked[starts + above]
        columns.append((lower + (upper - lower) * (place - below)).tolist())
    return [dict(zip(_SHARES, row, strict=True)) for row in zip(*columns, strict=True)]
