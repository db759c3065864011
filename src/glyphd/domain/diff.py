"""What changed from one import to another: the shapes, and the plain way to find out.

:func:`compare` and :func:`summarise` are the oracle that a property test holds `services.pairing` against.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import zip_longest
from math import isfinite
from statistics import median
from typing import Any

from glyphd.domain.identity import listing_key_hex
from glyphd.domain.imports import Status

MODELS_LIMIT = 1000
"""Of so many models the figures are told one by one: those with most changes."""


class Change(StrEnum):
    """What became of one offer. A price that moved wins over a score that did."""

    APPEARED = "appeared"
    DISAPPEARED = "disappeared"
    PRICE_UP = "price_up"
    PRICE_DOWN = "price_down"
    SCORE_CHANGED = "score_changed"
    UNCHANGED = "unchanged"


class DiffSort(StrEnum):
    """In what order rows are told: by the size of the price move, by the move itself, or by model and listing_key.

    Rows without a move of the price come after those with one.
    """

    MOVE = "move"
    RISE = "-price_change_pct"
    FALL = "price_change_pct"
    MODEL = "model"


@dataclass(frozen=True, slots=True)
class Sighting:
    """An import saw a listing at a price (USD) and a score."""

    listing_key: int
    canonical_model: str
    import_index: int
    price: float
    score: float


@dataclass(frozen=True, slots=True)
class DiffRow:
    """One offer in both imports, or in one of them; what is not there is null. Prices are USD.

    Changes are target minus base and percentages of the base price, all to four decimals; without a base price above 0
    there is no percentage.
    """

    change: Change
    listing_key: str
    model: str
    base_index: int | None
    target_index: int | None
    base_price: float | None
    target_price: float | None
    price_change: float | None
    price_change_pct: float | None
    base_score: float | None
    target_score: float | None
    score_change: float | None


@dataclass(frozen=True, slots=True)
class DiffFigures:
    """How many offers changed in which way. ``ambiguous`` counts the keys that several rows of one import share.

    The three percentages are over the prices that moved: their median, the largest rise, and the largest fall, which
    is negative; null where there is none.
    """

    appeared: int
    disappeared: int
    price_up: int
    price_down: int
    score_changed: int
    unchanged: int
    ambiguous: int
    median_price_change_pct: float | None
    max_price_rise_pct: float | None
    max_price_fall_pct: float | None

    @property
    def changes(self) -> int:
        """How many offers are not as they were."""
        return self.appeared + self.disappeared + self.price_up + self.price_down + self.score_changed


@dataclass(frozen=True, slots=True)
class ModelDiff(DiffFigures):
    """The figures of one model."""

    model: str


@dataclass(frozen=True, slots=True)
class DiffSummary(DiffFigures):
    """The figures of all rows, then by model: those with most changes first, then by name."""

    models: list[ModelDiff]
    models_truncated: bool


@dataclass(frozen=True, slots=True)
class ComparedImport:
    """Which import was compared. ``count`` is how many rows it has."""

    import_id: str
    source: str
    source_version: int | None
    observed_at: datetime | None
    status: Status
    count: int


@dataclass(frozen=True, slots=True)
class DiffFilters:
    """Which rows are told. Without ``changes`` all but the unchanged; ``min_price_change_pct`` is about the size."""

    changes: Sequence[Change] = ()
    model: str | None = None
    min_price_change_pct: float | None = None
    sort: DiffSort = DiffSort.MOVE


@dataclass(frozen=True, slots=True)
class Diff:
    """From ``base`` to ``target``: the figures of all rows, and a page of those that were asked for."""

    base: ComparedImport
    target: ComparedImport
    summary: DiffSummary
    items: list[DiffRow]
    next: str | None


def compare(base: Iterable[Sighting], target: Iterable[Sighting]) -> list[DiffRow]:
    """Return what became of every offer of two imports, by model and listing_key.

    Rows that share a key are paired in order of price, then import_index; what is left over appeared or disappeared.
    """
    earlier, later = _by_key(base), _by_key(target)
    keys = sorted({*earlier, *later})
    return [_row(*pair) for key in keys for pair in zip_longest(earlier.get(key, []), later.get(key, []))]


def summarise(base: Sequence[Sighting], target: Sequence[Sighting]) -> DiffSummary:
    """Return the figures of two imports."""
    rows, ambiguous = compare(base, target), _ambiguous(base, target)
    models = [
        ModelDiff(**_figures([row for row in rows if row.model == model], ambiguous[model]), model=model)
        for model in {row.model for row in rows}
    ]
    return summary_of(_figures(rows, ambiguous.total()), models)


def summary_of(figures: Mapping[str, Any], models: Iterable[ModelDiff]) -> DiffSummary:
    """Return a summary of the members of :class:`DiffFigures`, and of models, which are put in order and cut."""
    ranked = sorted(models, key=lambda each: (-each.changes, each.model))
    return DiffSummary(**figures, models=ranked[:MODELS_LIMIT], models_truncated=len(ranked) > MODELS_LIMIT)


def four_decimals(value: float) -> float | None:
    """Round as the set-based implementation does; None for what is no number of use."""
    scaled = value * 1e4
    return round(scaled) / 1e4 if isfinite(scaled) else None


def _by_key(sightings: Iterable[Sighting]) -> dict[tuple[str, int], list[Sighting]]:
    found = defaultdict(list)
    for each in sorted(sightings, key=lambda each: (each.price, each.import_index)):
        found[each.canonical_model, each.listing_key].append(each)
    return found


def _ambiguous(*sides: Iterable[Sighting]) -> Counter[str]:
    """Count by model the keys that stand several times on a side."""
    shared = {key for side in sides for key, found in _by_key(side).items() if len(found) > 1}
    return Counter(model for model, _ in shared)


def _row(before: Sighting | None, after: Sighting | None) -> DiffRow:
    model, key = next((each.canonical_model, each.listing_key) for each in (before, after) if each is not None)
    moves = (None, None, None) if before is None or after is None else _moves(before, after)
    return DiffRow(
        change=_change(before, after),
        listing_key=listing_key_hex(key),
        model=model,
        base_index=None if before is None else before.import_index,
        target_index=None if after is None else after.import_index,
        base_price=None if before is None else before.price,
        target_price=None if after is None else after.price,
        price_change=moves[0],
        price_change_pct=moves[1],
        base_score=None if before is None else before.score,
        target_score=None if after is None else after.score,
        score_change=moves[2],
    )


def _moves(before: Sighting, after: Sighting) -> tuple[float | None, float | None, float | None]:
    price, score = after.price - before.price, after.score - before.score
    return four_decimals(price), _percentage(before.price, after.price), four_decimals(score)


def _percentage(before: float, after: float) -> float | None:
    return four_decimals((after - before) / before * 100) if before > 0 else None


def _change(before: Sighting | None, after: Sighting | None) -> Change:
    if before is None or after is None:
        return Change.APPEARED if before is None else Change.DISAPPEARED
    if before.price != after.price:
        return Change.PRICE_UP if before.price < after.price else Change.PRICE_DOWN
    return Change.UNCHANGED if before.score == after.score else Change.SCORE_CHANGED


def _figures(rows: Sequence[DiffRow], ambiguous: int) -> dict[str, Any]:
    counts = Counter(row.change for row in rows)
    moved = {Change.PRICE_UP, Change.PRICE_DOWN}
    moves = [row.price_change_pct for row in rows if row.change in moved and row.price_change_pct is not None]
    rises, falls = [move for move in moves if move > 0], [move for move in moves if move < 0]
    return {
        **{str(change): counts[change] for change in Change},
        "ambiguous": ambiguous,
        "median_price_change_pct": four_decimals(median(moves)) if moves else None,
        "max_price_rise_pct": max(rises, default=None),
        "max_price_fall_pct": min(falls, default=None),
    }
