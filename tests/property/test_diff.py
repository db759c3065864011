"""Comparing imports by sets is what comparing them row by row is, on keys that stand several times too."""

from collections.abc import Sequence

import numpy as np
import polars as pl
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from glyphd.domain.diff import Change, DiffFilters, DiffRow, DiffSort, Sighting, compare, summarise
from glyphd.services import pairing
from glyphd.store.sighting_columns import SIGHTING

MODELS = ["A100", "H100", "h100", "é"]
PRICES = st.sampled_from([0.01, 1.0, 1.00005, 99.99, 100.0, 100.01, 28450.5, 1e7]) | st.floats(0.01, 1e7)
SCORES = st.sampled_from([0.0, 50.0, 50.00001, 100.0])
SIGHTINGS = st.lists(
    st.tuples(st.sampled_from([-(2**63), -1, 0, 7, 2**63 - 1]), st.sampled_from(MODELS), PRICES, SCORES), max_size=25
).map(lambda rows: [Sighting(row[0], row[1], index, *row[2:]) for index, row in enumerate(rows, 1)])
FILTERS = st.builds(
    DiffFilters,
    st.lists(st.sampled_from(Change), unique=True, max_size=3),
    st.none(),
    st.none() | st.sampled_from([0.0, 0.005, 10.0, 1e4]),
    st.sampled_from(DiffSort),
)


def as_side(name: str, sightings: Sequence[Sighting], models: list[str]) -> pl.DataFrame:
    """Return sightings as the store has them: sorted by model, key and import_index."""
    ordered = sorted(sightings, key=lambda each: (each.canonical_model, each.listing_key, each.import_index))
    rows = np.array([(s.listing_key, s.import_index, s.price, s.score) for s in ordered], dtype=SIGHTING)
    names = [each.canonical_model for each in ordered]
    return pairing.side(name, rows, range(len(models)), [names.count(model) for model in models])


def _place(row: DiffRow) -> tuple[str, str, int, int]:
    return row.model, row.listing_key, row.base_index or 0, row.target_index or 0


@settings(max_examples=60, phases=[Phase.generate])
@given(base=SIGHTINGS, target=SIGHTINGS, filters=FILTERS)
def test_sets_and_rows_agree(base: list[Sighting], target: list[Sighting], filters: DiffFilters) -> None:
    """The figures, and the rows that are asked for, in a total order."""
    models = sorted({each.canonical_model for each in base + target})
    pairs = pairing.pair(as_side("base", base, models), as_side("target", target, models))
    expected = compare(base, target)

    assert summarise(base, target) == pairing.summarise(pairs, models)
    found = pairing.told(pairing.select(pairs, models, filters, None), models)
    rows = [DiffRow(*row) for row in found.iter_rows()]
    wanted = set(filters.changes) or {*Change} - {Change.UNCHANGED}
    least = filters.min_price_change_pct
    assert sorted(rows, key=_place) == sorted(
        (
            row
            for row in expected
            if row.change in wanted
            and (least is None or (row.price_change_pct is not None and abs(row.price_change_pct) >= least))
        ),
        key=_place,
    )
    again = pairing.told(pairing.select(pairs.reverse(), models, filters, None), models)
    assert found.equals(again)


@given(base=SIGHTINGS, target=SIGHTINGS)
def test_every_row_is_told_once(base: list[Sighting], target: list[Sighting]) -> None:
    """On either side; and the other way round what appeared disappeared."""
    rows, back = compare(base, target), compare(target, base)

    assert list(range(1, len(base) + 1)) == sorted(row.base_index for row in rows if row.base_index is not None)
    assert list(range(1, len(target) + 1)) == sorted(row.target_index for row in rows if row.target_index is not None)
    assert summarise(base, target).appeared == summarise(target, base).disappeared
    assert len(rows) == len(back)


def test_the_order_of_moves() -> None:
    """The widest moves come first, rows without a move after them; each order has its own beginning."""
    prices = {1: (100, 150), 2: (100, 40), 3: (100, 100), 4: (100, 101)}
    base = [Sighting(key, "H100", key, before, 1) for key, (before, _) in prices.items()]
    target = [
        *(Sighting(key, "H100", key, after, 2) for key, (_, after) in prices.items()),
        Sighting(5, "H100", 5, 9, 1),
    ]
    pairs = pairing.pair(as_side("base", base, ["H100"]), as_side("target", target, ["H100"]))
    orders = {
        sort: pairing.select(pairs, ["H100"], DiffFilters(sort=sort), None)["listing_key"].to_list()
        for sort in DiffSort
    }

    assert {
        DiffSort.MOVE: [2, 1, 4, 3, 5],
        DiffSort.RISE: [1, 4, 2, 3, 5],
        DiffSort.FALL: [2, 4, 1, 3, 5],
        DiffSort.MODEL: [1, 2, 3, 4, 5],
    } == orders
