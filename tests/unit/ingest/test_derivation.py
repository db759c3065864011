"""What is derived from accepted rows, in memory and spooled."""

import numpy as np
import polars as pl
import pytest

from glyphd.ingest.derivation import FACET_VALUES, Derivation


@pytest.fixture
def make_rows():
    """Make accepted rows with random keys, prices and scores."""

    def make(rows, models=("A", "Z", "a", "é", "😀"), seed=1):
        rng = np.random.default_rng(seed)
        return pl.DataFrame(
            {
                "import_index": pl.Series(rng.permutation(np.arange(1, rows + 1)), dtype=pl.Int64),
                "canonical_model": rng.choice(models, rows).tolist(),
                "listing_key": rng.integers(-3, 3, rows),
                "price": rng.uniform(1, 1_000, rows).round(2),
                "score": rng.uniform(0, 100, rows),
                "region": rng.choice(["US", "UK/EU", ""], rows).tolist(),
                "seller": [None] * rows,
                "condition": ["New"] * rows,
                "source_type": [f"type {at}" for at in range(rows)],
            },
            schema_overrides={"seller": pl.String},
        )

    return make


@pytest.mark.parametrize("models", [("A", "Z", "a", "é", "😀"), ("only",), tuple(map(str, range(40_000)))])
@pytest.mark.parametrize(("rows_in_memory", "range_rows"), [(1_000_000, 400_000), (10_000, 20_000), (10_000, 1)])
def test_sightings_and_statistics(tmp_path, monkeypatch, make_rows, models, rows_in_memory, range_rows):
    """Sightings are sorted over the whole import and statistics exact, whether rows were spooled or not."""
    monkeypatch.setattr("glyphd.ingest.derivation._RANGE_ROWS", range_rows)
    rows = make_rows(60_000, models)
    with Derivation(tmp_path, rows_in_memory) as derivation:
        for part in rows.iter_slices(7_000):
            derivation.add(part)
        sightings = pl.concat(derivation.sightings())
        statistics = derivation.statistics()
        assert list(derivation.sightings())[-1].height <= 100_000
    columns = ["canonical_model", "listing_key", "import_index", "price", "score"]
    expected = sorted(rows.select(columns).iter_rows(), key=lambda row: (row[0].encode(), row[1], row[2]))
    assert sightings.rows() == expected
    assert statistics["canonical_model"].to_list() == sorted(rows["canonical_model"].unique(), key=str.encode)
    for row in statistics.sample(5, seed=1, with_replacement=True).iter_rows(named=True):
        own = rows.filter(canonical_model=row["canonical_model"])
        price, score = own["price"].to_numpy(), own["score"].to_numpy()
        quartiles = np.percentile(price, [0, 25, 50, 75, 100])
        found = [row[f"{name}_price"] for name in ("min", "p25", "median", "p75", "max")]
        assert found == pytest.approx(quartiles, rel=1e-12)
        assert row["listing_count"] == own.height
        assert row["avg_price"] == pytest.approx(price.mean(), rel=1e-12)
        assert [row["min_score"], row["max_score"]] == [score.min(), score.max()]
        assert row["avg_score"] == pytest.approx(score.mean(), rel=1e-12)
    assert list(tmp_path.iterdir()) == []


def test_facets(tmp_path, make_rows):
    """Facets count values that are there; a field with too many is named instead."""
    rows = make_rows(FACET_VALUES + 1)
    with Derivation(tmp_path) as derivation:
        derivation.add(rows.head(500))
        derivation.add(rows.tail(-500))
        facets = derivation.facets()
        assert derivation.uncounted_facets == ["source_type"]
    assert set(facets["field"]) == {"region", "condition"}
    assert facets.filter(field="condition").rows() == [("condition", "New", FACET_VALUES + 1)]
    counts = dict(rows["region"].value_counts().iter_rows())
    assert dict(facets.filter(field="region").select("value", "listing_count").iter_rows()) == counts


def test_ranges(tmp_path, make_rows):
    """The extremes are those of all rows that were added."""
    rows = make_rows(1_000)
    with Derivation(tmp_path) as derivation:
        for part in rows.iter_slices(300):
            derivation.add(part)
        extremes = (derivation.min_price, derivation.max_price, derivation.min_score, derivation.max_score)
    assert extremes == (rows["price"].min(), rows["price"].max(), rows["score"].min(), rows["score"].max())


def test_nothing_added(tmp_path, make_rows):
    """Without rows every answer is empty."""
    with Derivation(tmp_path) as derivation:
        derivation.add(make_rows(1).clear())
        assert list(derivation.sightings()) == []
        assert derivation.statistics().height == derivation.facets().height == 0
        assert derivation.min_price is derivation.max_price is derivation.min_score is derivation.max_score is None
    assert list(tmp_path.iterdir()) == []
