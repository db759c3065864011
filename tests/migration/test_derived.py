"""What the migration derives for imports from the field is what a slow, plain reckoning finds."""

import json
import random
from collections import Counter, defaultdict
from collections.abc import Callable
from itertools import groupby
from typing import Any

import numpy as np
import pytest
from sqlalchemy import Engine

from glyphd.domain.identity import hash_identity, identity_text
from glyphd.store import schema

from .shapes import SCRIPT

Run = Callable[..., list[tuple[Any, ...]]]

COLUMNS = "canonical_model, price, score, source_url, seller, region, condition, source_type, import_id"


def quoted(value: Any) -> str:
    """Return a value as SQL."""
    return "NULL" if value is None else "'" + value + "'" if isinstance(value, str) else repr(value)


@pytest.fixture
def rows(make_engine: Callable[..., Engine], run: Run) -> list[tuple[Any, ...]]:
    """Return the rows of a database that has been migrated; some have no price, one import has very many sellers."""
    pick = random.Random(7)
    made = [
        (
            pick.choice(["A100", "H100", "L40", "B200"]),
            pick.choice([pick.randrange(1, 50) * 100, pick.random() * 1e4, "Quote" if index % 50 == 0 else 5.5]),
            pick.random() * 100,
            pick.choice([None, "", "N/A", f" https://www.shop.example:443/{pick.randrange(9)}/?utm_source=x#top "]),
            f"seller {index}" if index < 998 else pick.choice(["Halbry ", "HALBRY", None, "—"]),
            pick.choice(["US", "EU", None, ""]),
            pick.choice(["New", "new", None]),
            pick.choice(["reseller", None]),
            "many" if index < 1100 else pick.choice(["one", "two", None]),
        )
        for index in range(1600)
    ]
    run(SCRIPT + "".join(
        f"INSERT INTO scored_listings ({COLUMNS}, vram_gb, tdp_watts) VALUES ({', '.join(map(quoted, row))}, 1, 1);\n"
        for row in made
    ))  # fmt: skip
    schema.upgrade(make_engine())
    return run(f"SELECT {COLUMNS}, import_index FROM scored_listings ORDER BY import_id, import_index")


def priced(rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Return the rows whose price is a number."""
    return [row for row in rows if isinstance(row[1], float)]


def test_sightings(rows: list[tuple[Any, ...]], run: Run) -> None:
    """One for each row that has a price, under the key its next crawl will have."""

    def key(row: tuple[Any, ...]) -> int:
        url, seller = (row[3] or "").strip(), (row[4] or "").strip()
        named = None if url in {"", "N/A"} else url
        return hash_identity(identity_text(row[0], named, None if seller == "—" else seller, row[5], row[6]))

    expected = sorted((row[8], row[0], key(row), row[9], row[1], row[2]) for row in priced(rows))

    assert len(expected) < len(rows)
    assert expected == run("SELECT * FROM sightings")


def test_model_figures(rows: list[tuple[Any, ...]], run: Run) -> None:
    """Count, extremes, mean and exact percentiles of each import and model."""
    found = run(
        "SELECT import_id, canonical_model, listing_count, min_price, p25_price, median_price, p75_price, max_price,"
        " avg_price, min_score, max_score, avg_score FROM import_model_stats ORDER BY 1, 2"
    )
    groups = groupby(sorted(priced(rows), key=lambda row: (row[8], row[0])), key=lambda row: (row[8], row[0]))
    for (key, group), figures in zip(groups, found, strict=True):
        prices, scores = np.array([row[1:3] for row in group]).T
        expected = [*np.percentile(prices, [0, 25, 50, 75, 100]), prices.mean()]
        expected += [scores.min(), scores.max(), scores.mean()]
        assert (*key, len(prices)) == figures[:3]
        assert pytest.approx(expected, rel=1e-12) == figures[3:]


def test_facets(rows: list[tuple[Any, ...]], run: Run) -> None:
    """How often each value occurs; a field with too many of them is named instead."""
    counted: dict[str, Counter[tuple[Any, ...]]] = defaultdict(Counter)
    for row in rows:
        for field, value in zip(("seller", "region", "condition", "source_type"), row[4:8], strict=True):
            if value is not None and (row[8], field) != ("many", "seller"):
                counted[row[8]][field, value] += 1
    expected = sorted((name, *key, count) for name, counts in counted.items() for key, count in counts.items())

    assert expected == run("SELECT * FROM import_facets ORDER BY 1, 2, 3")
    uncounted = dict(run("SELECT import_id, uncounted_facets FROM import_batches"))
    assert {name for name, fields in uncounted.items() if json.loads(fields) == ["seller"]} == {"many"}
    assert {name for name, fields in uncounted.items() if fields == "[]"} == set(uncounted) - {"many"}


def test_ranges_in_the_ledger(rows: list[tuple[Any, ...]], run: Run) -> None:
    """Lowest and highest price and score of each import."""
    expected = []
    for name in sorted({row[8] for row in rows}):
        prices, scores = zip(*(row[1:3] for row in priced(rows) if row[8] == name), strict=True)
        expected.append((name, min(prices), max(prices), min(scores), max(scores)))

    query = "SELECT import_id, min_price, max_price, min_score, max_score FROM import_batches ORDER BY 1"
    assert expected == run(query)


def test_imports_form_a_chain(make_engine: Callable[..., Engine], run: Run) -> None:
    """Versions count up within a source, in the order of the ledger; none is the source `default`."""
    run(SCRIPT + "INSERT INTO import_batches (id, import_id, source, imported_at) VALUES"
        " (1, 'a', 'x', '2025-01-02T03:04:05+02:00'), (2, 'b', NULL, 'long ago'),"
        " (5, 'c', 'x', '1753804020'), (6, 'd', 'default', '2025-01-01');")  # fmt: skip

    schema.upgrade(make_engine())

    assert run(
        "SELECT import_id, source, source_version, previous_import_id, observed_at FROM import_batches ORDER BY id"
    ) == [
        ("a", "x", 1, None, "2025-01-02 01:04:05.000000"),
        ("b", None, 1, None, "1970-01-01 00:00:00.000000"),
        ("c", "x", 2, "a", "2025-07-29 15:47:00.000000"),
        ("d", "default", 2, "b", "2025-01-01 00:00:00.000000"),
    ]


def test_rows_without_an_import_are_the_oldest(make_engine: Callable[..., Engine], run: Run) -> None:
    """They belong to one import of the source `legacy`, before all others; one nobody has on record comes next."""
    run(SCRIPT + "INSERT INTO import_batches (id, import_id) VALUES (3, 'a');"
        "INSERT INTO scored_listings (canonical_model, price, vram_gb, tdp_watts, score, created_at, import_id) VALUES"
        " ('A', 1, 1, 1, 1, '2025-01-02', NULL), ('A', 1, 1, 1, 1, '2025-01-01', NULL),"
        " ('A', 1, 1, 1, 1, '2024-01-01', 'gone');")  # fmt: skip

    schema.upgrade(make_engine())

    assert [
        (-1, "00000000-0000-7000-8000-000000000000", "legacy", "batch", "published", 2, 2, "2025-01-01"),
        (0, "gone", "legacy", "batch", "published", 1, 1, "2024-01-01"),
        (3, "a", None, "batch", "published", 0, 0, run("SELECT imported_at FROM import_batches WHERE id = 3")[0][0]),
    ] == run("SELECT id, import_id, source, kind, status, received, count, imported_at FROM import_batches ORDER BY id")
    assert run("SELECT model, id FROM models") == [("A", 0)]
