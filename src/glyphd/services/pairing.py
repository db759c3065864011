"""Pair the sightings of two imports as frames: what `domain.diff.compare` says row by row, for a million at a time."""

from collections.abc import Sequence
from dataclasses import fields
from itertools import pairwise
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from glyphd.domain.diff import (
    Change,
    DiffFilters,
    DiffRow,
    DiffSort,
    DiffSummary,
    ModelDiff,
    four_decimals,
    summary_of,
)
from glyphd.store.sighting_columns import Sightings

CHANGES = pl.Enum([str(change) for change in Change])
_AMBIGUOUS = "ambiguous"
_KEY = ["model", "listing_key", "nth"]
_BASE, _TARGET = pl.col("base_price"), pl.col("target_price")


def side(name: str, rows: Sightings, numbers: Sequence[int], counts: Sequence[int]) -> pl.DataFrame:
    """Return one import's sightings with the place of each among those that share its key, by price and import_index.

    ``rows`` are sorted by model, listing_key and import_index; ``counts`` tells how many there are of the model of each
    of ``numbers``. Where no key is shared there is nothing to sort, which is half a second of a million rows.
    """
    models = np.repeat(np.array(numbers, dtype=np.uint32), counts)
    keys = rows["listing_key"]
    begins = np.ones(len(keys), dtype=bool)
    begins[1:] = (keys[1:] != keys[:-1]) | (models[1:] != models[:-1])
    places = np.arange(len(keys))
    if not begins.all():
        rows = rows[np.lexsort((rows["import_index"], rows["price"], np.cumsum(begins)))]
    return pl.DataFrame(
        {
            "model": models,
            "listing_key": keys,
            "nth": (places - np.maximum.accumulate(np.where(begins, places, 0))).astype(np.uint32),
            f"{name}_index": rows["import_index"],
            f"{name}_price": rows["price"],
            f"{name}_score": rows["score"],
        }
    )


def pair(base: pl.DataFrame, target: pl.DataFrame) -> pl.DataFrame:
    """Return what became of every offer of two sides, whose models have the same numbers; `again` marks shared keys."""
    joined = _joined(base, target)
    before, after = (joined[f"{name}_price"].to_numpy() for name in ("base", "target"))
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        percentages = np.where(before > 0, (after - before) / before * 100, np.nan)
        scores = joined["target_score"].to_numpy() - joined["base_score"].to_numpy()
        return joined.with_columns(
            _four_decimals("price_change", after - before),
            _four_decimals("price_change_pct", percentages),
            _four_decimals("score_change", scores),
            change=_change(),
            again=pl.col("nth") == 1,
        ).with_columns(move=pl.when(_BASE != _TARGET).then(pl.col("price_change_pct")))


def _joined(base: pl.DataFrame, target: pl.DataFrame) -> pl.DataFrame:
    """Join two sides, each sorted by its key, in full: by bisection, in a third of the time of a join by hashes."""
    at = _places(base, target) + target["nth"].to_numpy()
    paired = at < len(base)
    for name in ("model", "listing_key"):
        paired[paired] = base[name].to_numpy()[at[paired]] == target[name].to_numpy()[paired]
    left = np.ones(len(base), dtype=bool)
    left[at[paired]] = False
    pairs = pl.concat([base[at[paired]], target.drop(_KEY).filter(paired)], how="horizontal")
    every: pl.DataFrame = pl.concat([pairs, base.filter(left), target.filter(~paired)], how="diagonal")
    return every


def _places(base: pl.DataFrame, target: pl.DataFrame) -> NDArray[np.int64]:
    """Return before which row of the base each row of the target belongs, by listing_key within its model."""
    keys, sought = (each["listing_key"].to_numpy() for each in (base, target))
    places = np.empty(len(target), dtype=np.int64)
    models = target["model"].to_numpy()
    starts = np.flatnonzero(np.diff(models, prepend=models[:1] + 1))
    within = np.searchsorted(base["model"].to_numpy(), models[starts])
    beyond = np.searchsorted(base["model"].to_numpy(), models[starts], side="right")
    for (start, end), first, last in zip(pairwise([*starts, len(target)]), within, beyond, strict=True):
        places[start:end] = first + np.searchsorted(keys[first:last], sought[start:end])
    return places


def _change() -> pl.Expr:
    appeared, disappeared, up, down, score, unchanged = (pl.lit(str(change), CHANGES) for change in Change)
    return (
        pl.when(_BASE.is_null())
        .then(appeared)
        .when(_TARGET.is_null())
        .then(disappeared)
        .when(_BASE < _TARGET)
        .then(up)
        .when(_BASE > _TARGET)
        .then(down)
        .when(pl.col("base_score") != pl.col("target_score"))
        .then(score)
        .otherwise(unchanged)
    )


def _four_decimals(name: str, values: NDArray[np.float64]) -> pl.Series:
    """Round by numpy, which divides as Python does; polars multiplies by the inverse. Null for what is not finite."""
    rounded = np.rint(values * 1e4) / 1e4 + 0.0  # which makes -0.0 zero
    return pl.Series(name, np.where(np.isfinite(rounded), rounded, np.nan), nan_to_null=True)


COUNTED = ["model", "change", "again", "move"]
"""What of pairs a summary needs."""


def summarise(pairs: pl.DataFrame, models: Sequence[str]) -> DiffSummary:
    """Return the figures of all pairs, and of each model; of their columns only :data:`COUNTED` are read."""
    move = pl.col("move")
    middle = (move.quantile(0.5, "lower") + move.quantile(0.5, "higher")) / 2
    figures = [
        *((pl.col("change") == change).sum().alias(change) for change in Change),
        pl.col("again").sum().alias(_AMBIGUOUS),
        middle.alias("median_price_change_pct"),
        move.filter(move > 0).max().alias("max_price_rise_pct"),
        move.filter(move < 0).min().alias("max_price_fall_pct"),
    ]
    whole = _rounded(pairs.select(figures).row(0, named=True))
    by_model = pairs.group_by("model").agg(figures).iter_rows(named=True)
    return summary_of(whole, (ModelDiff(**{**_rounded(row), "model": models[row["model"]]}) for row in by_model))


def _rounded(figures: dict[str, Any]) -> dict[str, Any]:
    median = figures["median_price_change_pct"]
    return {**figures, "median_price_change_pct": None if median is None else four_decimals(median)}


def select(
    pairs: pl.DataFrame,
    models: Sequence[str],
    filters: DiffFilters,
    named: Sequence[str] | None,
    first: int | None = None,
) -> pl.DataFrame:
    """Return the rows that are asked for, or the first so many of them, in order; ``named`` are the models."""
    chosen = pairs.filter(pl.col("change").is_in([str(each) for each in filters.changes or _CHANGED]))
    if named is not None:
        numbers = [number for number, model in enumerate(models) if model in set(named)]
        chosen = chosen.filter(pl.col("model").is_in(numbers))
    if filters.min_price_change_pct is not None:
        chosen = chosen.filter(pl.col("price_change_pct").abs() >= filters.min_price_change_pct)
    return in_order(chosen, filters.sort, first)


def in_order(rows: pl.DataFrame, sort: DiffSort, first: int | None = None) -> pl.DataFrame:
    """Return rows, or so many of them, in an order that leaves nothing open."""
    ordered = rows.lazy().sort(*_ORDERS[sort], *_KEY, nulls_last=True)
    return (ordered if first is None else ordered.head(first)).collect()


_CHANGED = [change for change in Change if change is not Change.UNCHANGED]
_MOVE = pl.col("move")
_ORDERS = {
    DiffSort.MOVE: [-_MOVE.abs(), -_MOVE],
    DiffSort.RISE: [-_MOVE],
    DiffSort.FALL: [_MOVE],
    DiffSort.MODEL: [],
}


def told(rows: pl.DataFrame, models: Sequence[str]) -> pl.DataFrame:
    """Return rows as they are told: names for numbers, and keys as 16 hex digits."""
    names = pl.Series("model", [models[number] for number in rows["model"]], pl.String)
    keys = rows["listing_key"].to_numpy().astype(np.int64).view(np.uint64)
    shown = pl.Series("listing_key", [f"{key:016x}" for key in keys.tolist()], pl.String)
    columns = [field.name for field in fields(DiffRow)]
    return rows.with_columns(names, shown, pl.col("change").cast(pl.String)).select(columns)
