"""Pair the sightings of two imports as frames: what `domain.diff.compare` says row by row, for a million at a time."""

from collections.abc import Sequence
from dataclasses import fields
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


def side(name: str, rows: Sightings, models: Sequence[str], counts: Sequence[int]) -> pl.DataFrame:
    """Return one import's sightings with the place of each among those that share its key, by price and import_index.

    ``rows`` are sorted by model; ``counts`` tells how many there are of each of ``models``, which are sorted too.
    """
    numbers = np.repeat(np.arange(len(models), dtype=np.uint32), counts)
    order = np.lexsort((rows["import_index"], rows["price"], rows["listing_key"], numbers))
    keys, numbers = rows["listing_key"][order], numbers[order]
    begins = np.ones(len(keys), dtype=bool)
    begins[1:] = (keys[1:] != keys[:-1]) | (numbers[1:] != numbers[:-1])
    places = np.arange(len(keys))
    return pl.DataFrame(
        {
            "model": numbers,
            "listing_key": keys,
            "nth": (places - np.maximum.accumulate(np.where(begins, places, 0))).astype(np.uint32),
            f"{name}_index": rows["import_index"][order],
            f"{name}_price": rows["price"][order],
            f"{name}_score": rows["score"][order],
        }
    )


def pair(base: pl.DataFrame, target: pl.DataFrame) -> pl.DataFrame:
    """Return what became of every offer of two sides, whose models have the same numbers; `again` marks shared keys."""
    joined = base.join(target, on=_KEY, how="full", coalesce=True)
    before, after = (joined[f"{name}_price"].to_numpy() for name in ("base", "target"))
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        percentages = np.where(before > 0, (after - before) / before * 100, np.nan)
        scores = joined["target_score"].to_numpy() - joined["base_score"].to_numpy()
        return joined.with_columns(
            _four_decimals("price_change", after - before),
            _four_decimals("price_change_pct", percentages),
            _four_decimals("score_change", scores),
            change=_change().cast(CHANGES),
            again=pl.col("nth") == 1,
        ).with_columns(move=pl.when(_BASE != _TARGET).then(pl.col("price_change_pct")))


def _change() -> pl.Expr:
    return (
        pl.when(_BASE.is_null())
        .then(pl.lit(Change.APPEARED))
        .when(_TARGET.is_null())
        .then(pl.lit(Change.DISAPPEARED))
        .when(_BASE < _TARGET)
        .then(pl.lit(Change.PRICE_UP))
        .when(_BASE > _TARGET)
        .then(pl.lit(Change.PRICE_DOWN))
        .when(pl.col("base_score") != pl.col("target_score"))
        .then(pl.lit(Change.SCORE_CHANGED))
        .otherwise(pl.lit(Change.UNCHANGED))
    )


def _four_decimals(name: str, values: NDArray[np.float64]) -> pl.Series:
    """Round by numpy, which divides as Python does; polars multiplies by the inverse. Null for what is not finite."""
    rounded = np.rint(values * 1e4) / 1e4 + 0.0  # which makes -0.0 zero
    return pl.Series(name, np.where(np.isfinite(rounded), rounded, np.nan), nan_to_null=True)


def summarise(pairs: pl.DataFrame, models: Sequence[str]) -> DiffSummary:
    """Return the figures of all pairs, and of each model."""
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
    pairs: pl.DataFrame, models: Sequence[str], filters: DiffFilters, named: Sequence[str] | None
) -> pl.DataFrame:
    """Return the rows that are asked for, in order, as the columns of :class:`DiffRow`; ``named`` are the models."""
    chosen = pairs.filter(pl.col("change").is_in([str(each) for each in filters.changes or _CHANGED]))
    if named is not None:
        numbers = [number for number, model in enumerate(models) if model in set(named)]
        chosen = chosen.filter(pl.col("model").is_in(numbers))
    if filters.min_price_change_pct is not None:
        chosen = chosen.filter(pl.col("price_change_pct").abs() >= filters.min_price_change_pct)
    return chosen.sort(*_ORDERS[filters.sort], *_KEY, nulls_last=True)


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
