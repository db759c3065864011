"""The current view and that as of a moment: of each source the view of its latest batch, by when it was observed."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from glyphd.services.browsing import ListingQuery, Position, browse_listings
from glyphd.services.context import Context
from glyphd.services.replaying import replay_import
from glyphd.services.rolling_back import roll_back_import
from glyphd.services.running import run_next
from glyphd.services.surveying import Market, survey_models

START = datetime(2026, 7, 1, 12, tzinfo=UTC)


def day(number: float) -> datetime:
    """Return a moment so many days after the start."""
    return START + timedelta(days=number)


@pytest.fixture
def crawl(publish: Callable[..., str], make_lines: Callable[..., str]) -> Callable[..., str]:
    """Import a batch observed on a day, with these prices."""

    def run(number: float, *prices: float, source: str = "shop", model: str = "H100") -> str:
        return publish(make_lines(*prices, model=model), source=source, observed_at=day(number))

    return run


def prices(context: Context, **query: Any) -> list[float]:
    """Return the prices that a query finds."""
    return [row["price"] for row in browse_listings(context, ListingQuery(**query), limit=100).items]


def test_the_current_view_has_the_latest_batch_of_each_source(context: Context, crawl: Callable[..., str]) -> None:
    """Latest by when it was observed, not by when it came; the newest import comes first."""
    crawl(2, 20, 21)
    crawl(1, 10)
    crawl(0, 5, source="other")

    assert [5, 20, 21] == prices(context, current=True)
    assert [20, 21] == prices(context, current=True, source="shop")
    assert [5, 10, 20, 21] == prices(context)


@pytest.mark.parametrize(
    ("as_of", "expected"), [(-1, []), (0.9, [5]), (1, [10, 5]), (1.5, [10, 5]), (2, [5, 20, 21]), (99, [5, 20, 21])]
)
def test_as_of_a_moment(context: Context, crawl: Callable[..., str], as_of: float, expected: list[float]) -> None:
    """A batch counts from the moment it was observed on."""
    crawl(2, 20, 21)
    crawl(0, 5, source="other")
    crawl(1, 10)

    assert expected == prices(context, as_of=day(as_of))
    assert expected == prices(context, as_of=day(as_of), current=True)


def test_as_of_is_the_corrected_picture(context: Context, crawl: Callable[..., str]) -> None:
    """What was rolled back since is not in it; what was replayed since is, as the replay has it."""
    first, second = crawl(1, 10), crawl(2, 20)
    replay = replay_import(context, first, "ana")
    run_next(context, "worker")
    assert [20] == prices(context, as_of=day(3))
    roll_back_import(context, second, "ana")

    found = browse_listings(context, ListingQuery(as_of=day(3)), limit=9).items
    assert [(replay, 10)] == [(row["import_id"], row["price"]) for row in found]


def test_pages_of_the_current_view(context: Context, crawl: Callable[..., str]) -> None:
    """By cursor and by offset, each listing comes once."""
    crawl(1, 1, 2, 3)
    crawl(1, 4, 5, source="other")
    crawl(0, 9)
    seen, after = [], None
    for _ in range(5):
        page = browse_listings(context, ListingQuery(current=True), limit=1, after=after)
        seen += [row["price"] for row in page.items]
        after = page.last

    assert ([4, 5, 1, 2, 3], None) == (seen, after)
    skipped = [browse_listings(context, ListingQuery(current=True), limit=1, offset=each).items for each in range(6)]
    assert seen == [row["price"] for rows in skipped for row in rows]
    assert [] == browse_listings(context, ListingQuery(current=True), limit=1, after=Position(0, 0)).items


def test_models_of_a_moment(context: Context, crawl: Callable[..., str]) -> None:
    """Prices, and when the model was last seen in that view."""
    crawl(1, 10, 30)
    crawl(2, 40)
    crawl(0, 5, source="other")
    crawl(3, 7, source="third", model="A100")

    assert [("A100", 1, 7, day(3)), ("H100", 2, 22.5, day(2))] == [
        (each.model, each.listing_count, each.median_price, each.last_seen_at)
        for each in survey_models(context, limit=9)
    ]
    assert [("H100", 3, 10, day(1))] == [
        (each.model, each.listing_count, each.median_price, each.last_seen_at)
        for each in survey_models(context, Market(day(1.5)), limit=9)
    ]
    assert [1] == [each.listing_count for each in survey_models(context, Market(source="other"), limit=9)]
    assert [] == survey_models(context, Market(day(-1)), limit=9)
