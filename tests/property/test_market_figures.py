"""The figures of a market report, by column, are those of the plain way (stdlib), whatever the rows and their cuts."""

from collections import defaultdict
from statistics import median

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glyphd.domain.market_report import THRESHOLD, deviations
from glyphd.services.market_figures import TOP, MarketFigures, deviating, shelves_for
from glyphd.store.market import ModelRange, model_groups

_PRICES = st.sampled_from([0.0, 0.01, 99.99, 100.0, 100.01, 107.1, 250.0, 9e6]) | st.floats(0, 1e7)
_ROWS = st.lists(st.tuples(st.sampled_from("abc"), _PRICES, st.sampled_from([0.0, 33.3, 71.4, 100.0])), max_size=60)
Row = tuple[str, float, float]


def _frame(rows: list[Row]) -> pl.DataFrame:
    columns = {
        "canonical_model": [row[0] for row in rows],
        "import_index": list(range(1, len(rows) + 1)),
        "price": [row[1] for row in rows],
        "score": [row[2] for row in rows],
        "place": [0] * len(rows),
    }
    kinds = {"canonical_model": pl.String, "price": pl.Float64, "score": pl.Float64}
    return pl.DataFrame(columns, schema_overrides=kinds | {"import_index": pl.Int64, "place": pl.Int32})


@given(_ROWS)
@settings(deadline=None)
def test_anomalies_are_those_of_the_oracle(rows: list[Row]) -> None:
    """Which rows, how far, and from what."""
    by_model = defaultdict(list)
    for index, (model, price, _) in enumerate(rows, 1):
        by_model[model].append((index, price))
    expected = {
        index: (deviation, median(price for _, price in found))
        for found in by_model.values()
        for (index, _), deviation in zip(found, deviations([price for _, price in found]), strict=True)
        if abs(deviation) > THRESHOLD
    }
    found = deviating(_frame(rows)).rows(named=True)
    assert expected.keys() == {row["import_index"] for row in found}
    for row in found:
        assert pytest.approx(expected[row["import_index"]], rel=1e-9) == (row["deviation"], row["median"])


@given(_ROWS, _PRICES)
@settings(deadline=None)
def test_the_best_are_those_of_a_sort(rows: list[Row], budget: float) -> None:
    """Ties go by price, then by place: whichever models are read together."""
    figures = MarketFigures(shelves_for([budget], TOP))
    for model in "abc":
        figures.add(_frame(rows).filter(pl.col("canonical_model") == model))
    numbered = [(-score, price, index) for index, (_, price, score) in enumerate(rows, 1)]
    ranked = [index for *_, index in sorted(numbered)]
    bought = [index for _, price, index in sorted(numbered) if price <= budget]
    shelf = figures.shelves[0]
    assert figures.top_ranked.rows is not None
    assert shelf.best.rows is not None
    assert ranked[:TOP] == figures.top_ranked.rows["import_index"].to_list()
    assert (len(bought), bought[:TOP]) == (shelf.count, shelf.best.rows["import_index"].to_list())
    prices = sorted(price for _, price, _ in rows)
    spread = figures.summary().price
    assert (prices[0], prices[-1]) == (spread.min, spread.max) if spread else not prices


@given(st.lists(st.integers(1, 9), max_size=12), st.integers(1, 12))
def test_groups_are_neighbours_of_so_many_rows(counts: list[int], rows: int) -> None:
    """Every model is in one group; none has more rows than asked for, but a model alone."""
    models = [ModelRange(f"{place:02}", count, 1, 1) for place, count in enumerate(counts)]
    groups = list(model_groups(models, rows))
    assert models == [model for group in groups for model in group]
    assert all(len(group) == 1 or sum(model.listing_count for model in group) <= rows for group in groups)
