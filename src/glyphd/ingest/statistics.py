"""Statistics by model over rows that are sorted by model, in bounded memory: of one model only the prices are kept."""

from collections.abc import Iterable, Iterator
from itertools import groupby

import numpy as np
import polars as pl
from numpy.typing import NDArray

_PRICE, _SCORE = pl.col("price"), pl.col("score")

_STATISTICS = (
    pl.len().cast(pl.Int64).alias("listing_count"),
    _PRICE.min().alias("min_price"),
    _PRICE.quantile(0.25, "linear").alias("p25_price"),
    _PRICE.quantile(0.5, "linear").alias("median_price"),
    _PRICE.quantile(0.75, "linear").alias("p75_price"),
    _PRICE.max().alias("max_price"),
    _PRICE.mean().alias("avg_price"),
    _SCORE.min().alias("min_score"),
    _SCORE.max().alias("max_score"),
    _SCORE.mean().alias("avg_score"),
)

_SCHEMA = pl.Schema(
    {"canonical_model": pl.String(), "listing_count": pl.Int64()}
    | {expression.meta.output_name(): pl.Float64() for expression in _STATISTICS[1:]}
)

Numbers = NDArray[np.float64]


def model_statistics(frames: Iterable[pl.DataFrame]) -> pl.DataFrame:
    """Return one row per model of frames with `canonical_model`, `price` (USD) and `score`, sorted by model.

    Percentiles are those of SQL's `percentile_cont`: exact, interpolated linearly.
    """
    done = [_SCHEMA.to_frame()]
    for model, parts in groupby(_parts(frames), key=lambda part: part[0]):
        rows = (part[1] for part in parts)
        done += map(_by_model, rows) if model is None else [_one_model(model, rows)]
    return pl.concat(done)


def _parts(frames: Iterable[pl.DataFrame]) -> Iterator[tuple[str | None, pl.DataFrame]]:
    """Cut frames into the models at their ends, which may go on in the next frame, and those between, named None."""
    for rows in frames:
        models = rows["canonical_model"]
        first, last = models[0], models[-1]
        yield first, rows.filter(models == first)
        if first != last:
            between = rows.filter((models != first) & (models != last))
            if not between.is_empty():
                yield None, between
            yield last, rows.filter(models == last)


def _by_model(rows: pl.DataFrame) -> pl.DataFrame:
    statistics = rows.group_by("canonical_model", maintain_order=True).agg(_STATISTICS)
    # a polars string keeps the buffer alive that it was cut from, here 400k names for one each: 1 GB at 15M rows
    return pl.DataFrame(statistics.to_arrow(compat_level=pl.CompatLevel.oldest()))


def _one_model(model: str, parts: Iterable[pl.DataFrame]) -> pl.DataFrame:
    """Like :func:`_by_model` for a model in any number of parts: 15M rows would be several copies of 120 MB there."""
    prices: list[Numbers] = []
    low, high, total = np.inf, -np.inf, 0.0
    for rows in parts:
        prices.append(rows["price"].to_numpy().copy())
        scores = rows["score"].to_numpy()
        low, high, total = min(low, scores.min()), max(high, scores.max()), total + scores.sum()
    price = np.concatenate(prices)
    prices.clear()
    price.sort()
    quartiles = [_percentile(price, share) for share in (0.25, 0.5, 0.75)]
    row = (model, price.size, price[0], *quartiles, price[-1], price.mean(), low, high, total / price.size)
    return pl.DataFrame([row], schema=_SCHEMA, orient="row")


def _percentile(ordered: Numbers, share: float) -> float:
    place = share * (ordered.size - 1)
    below = int(place)
    above = min(below + 1, ordered.size - 1)
    return float((ordered[above] - ordered[below]) * (place - below) + ordered[below])
