"""Offers through time: every sighting of one, and the moves between successive ones, held against a plain oracle."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from glyphd.domain.history import Observation, Seen, Sighting, moves_through_time
from glyphd.domain.identity import listing_key_from_hex
from glyphd.services import following
from glyphd.services.browsing import ListingQuery, browse_listings
from glyphd.services.context import Context
from glyphd.services.following import MoveQuery, follow_listing, follow_moves
from glyphd.services.periods import Period
from glyphd.services.replaying import replay_import
from glyphd.services.rolling_back import restore_import, roll_back_import
from glyphd.services.running import run_next

START = datetime(2026, 7, 1, 12, tzinfo=UTC)
HEADER = "canonical_model,vram_gb,tdp_watts,mig_support,nvlink,price,score,seller,region"

Crawl = Callable[..., str]


def day(number: float) -> datetime:
    """Return a moment so many days after the start."""
    return START + timedelta(days=number)


@pytest.fixture
def crawl(publish: Callable[..., str]) -> Crawl:
    """Import a batch observed on a day: rows of seller, price, and score, model, region if they matter."""

    def run(number: float, *rows: tuple[Any, ...], source: str = "shop", **options: Any) -> str:
        lines = [HEADER]
        for row in rows:
            seller, price, score, model, region = (*row, *(None, 50, "H100", "US")[len(row) - 1 :])
            lines.append(f"{model},80,350,7,True,{price},{score},{seller},{region}")
        return publish("\n".join(lines) + "\n", source=source, observed_at=day(number), **options)

    return run


def all_moves(context: Context, limit: int = 100, **query: Any) -> Iterator[Sighting]:
    """Yield all moves, page by page; each page but the last one is followed by another."""
    after = None
    while True:
        page, after = follow_moves(context, MoveQuery(**query), limit=limit, after=after)
        yield from page
        if after is None:
            return


def told(found: Iterator[Sighting]) -> list[tuple[Any, ...]]:
    """Return what is short to compare: source, day, price before, price, percent."""
    return [
        (each.source, (each.observed_at - START).days, each.earlier and each.earlier.price, each.price)
        for each in found
    ]


def test_moves_are_those_between_successive_sightings(context: Context, crawl: Crawl) -> None:
    """Newest first; what did not move, and what is new, is none of them; sources are apart."""
    crawl(1, ("a", 100), ("b", 50))
    crawl(2, ("a", 110), ("b", 50), ("c", 7))
    crawl(2.5, ("a", 500), source="other")
    crawl(3, ("a", 110, 60), ("b", 25))

    moves = list(all_moves(context))
    assert [("shop", 3, 110, 110), ("shop", 3, 50, 25), ("shop", 2, 100, 110)] == sorted(
        told(iter(moves)), key=lambda each: (-each[1], -each[3])
    )
    assert {(0, 0, 10), (-25, -50, 0), (10, 10, 0)} == {
        (each.price_change, each.price_change_pct, each.score_change) for each in moves
    }


def test_an_offer_that_was_away_compares_with_its_last_sighting(context: Context, crawl: Crawl) -> None:
    """However many batches it was not in."""
    crawl(1, ("a", 90))
    crawl(2, ("a", 100))
    for number in (0, *range(3, 9)):
        crawl(number, ("b", 10))
    crawl(9, ("a", 90), ("b", 10))

    found = list(all_moves(context, period=Period(since=day(3))))
    assert [("shop", 9, 100, 90)] == told(iter(found))
    assert day(2) == (found[0].earlier and found[0].earlier.observed_at)


def test_a_late_crawl_takes_its_place(context: Context, crawl: Crawl) -> None:
    """What comes late is compared with what was before it, and what is after it with it."""
    crawl(1, ("a", 100))
    crawl(3, ("a", 120))
    crawl(2, ("a", 90))

    assert [("shop", 3, 90, 120), ("shop", 2, 100, 90)] == told(all_moves(context))


def test_offers_that_share_a_key_pair_in_order_of_price(context: Context, crawl: Crawl) -> None:
    """The dearest of more of them than before have none before."""
    crawl(1, ("a", 10), ("a", 30))
    crawl(2, ("a", 50), ("a", 11), ("a", 30))

    assert [("shop", 2, 10, 11)] == told(all_moves(context))


def test_filters(context: Context, crawl: Crawl) -> None:
    """By model, source, region of the later sighting, percent in both directions, and time."""
    crawl(1, ("a", 100), ("b", 100), ("c", 100, 50, "A-100", "EU"))
    crawl(2, ("a", 105), ("b", 80), ("c", 130, 50, "A-100", "EU"))
    crawl(1, ("a", 1), source="other")
    crawl(3, ("a", 2), source="other")

    def found(**query: Any) -> list[float]:
        return sorted(each.price for each in all_moves(context, **query))

    assert [2, 80, 105, 130] == found()
    assert [130] == found(model="a 100")
    assert [] == found(model="L4")
    assert [130] == found(region="EU")
    assert [2, 80, 130] == found(min_price_change_pct=20)
    assert [2] == found(period=Period(source="other"))
    assert [80, 105, 130] == found(period=Period(until=day(3)))
    assert [2] == found(period=Period(since=day(3)))
    assert [] == found(period=Period(since=day(4)))


@pytest.mark.parametrize(("limit", "page_rows"), [(1, 3), (2, 3), (3, 10**6), (100, 10**6)])
def test_pages_have_every_move_once(
    context: Context, crawl: Crawl, limit: int, page_rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Cut by the limit, by stretches of two rows, and by the rows that a page may read; as the oracle has them."""
    crawls = _crawls()
    for number, source, rows in crawls:
        crawl(number, *rows, source=source)
    whole = list(all_moves(context))
    monkeypatch.setattr(following, "STRETCH_ROWS", 2)
    monkeypatch.setattr(following, "PAGE_ROWS", page_rows)

    assert whole == list(all_moves(context, limit))
    assert sorted(_expected(crawls)) == sorted(
        (each.source, each.observed_at, each.earlier.price, each.price) for each in whole if each.earlier
    )
    assert sorted(whole, key=lambda each: each.observed_at, reverse=True) == whole


def _crawls() -> list[tuple[float, str, list[tuple[Any, ...]]]]:
    """Crawls of two sources, not in order of time, with offers that share keys, go and come back."""
    return [
        (
            number * 7 % 10,
            f"source {number % 2}",
            [
                (f"seller {row % 5}", 10 + (number * row) % 7, 50, f"M{row % 3}")
                for row in range(12)
                if (row + number) % 4
            ],
        )
        for number in range(10)
    ]


def _expected(crawls: list[tuple[float, str, list[tuple[Any, ...]]]]) -> Iterator[tuple[Any, ...]]:
    views = []
    for number, source, rows in sorted(crawls, key=lambda each: each[0]):
        offers: dict[str, list[Seen]] = defaultdict(list)
        for index, (seller, price, score, model) in enumerate(rows):
            offers[f"{model} {seller}"].append(Seen(price, score, "", index))
        views.append(Observation(source, day(number), {**offers}))
    for view, _, now, before in moves_through_time(views):
        yield view.source, view.observed_at, before.price, now.price


def test_rolled_back_batches_are_in_no_move(context: Context, crawl: Crawl) -> None:
    """At once, and restoring brings the same moves back; a replay stands in its batch's place."""
    first = crawl(1, ("a", 100))
    bad = crawl(2, ("a", 1))
    crawl(3, ("a", 110))
    before = list(all_moves(context))
    roll_back_import(context, bad, "ana")

    assert [("shop", 3, 100, 110)] == told(all_moves(context))
    restore_import(context, bad, "ana")
    assert before == list(all_moves(context))
    replay = replay_import(context, bad, "ana")
    run_next(context, "worker")
    assert [(3, replay), (2, first)] == [
        ((each.observed_at - START).days, each.earlier and each.earlier.import_id) for each in all_moves(context)
    ]


def test_every_sighting_of_an_offer(context: Context, crawl: Crawl) -> None:
    """Newest first, over all sources, each with what moved since the one before in its source."""
    crawl(2, ("a", 110, 55))
    crawl(1, ("a", 100), ("b", 3))
    crawl(2, ("a", 500), source="other")
    crawl(4, ("b", 3))
    crawl(5, ("a", 99, 55))
    key = next(all_moves(context, period=Period(since=day(5)))).listing_key

    whole, last = follow_listing(context, listing_key_from_hex(key), limit=10)
    assert [(99, -11, -10, 0), (500, None, None, None), (110, 10, 10, 5), (100, None, None, None)] == [
        (each.price, each.price_change, each.price_change_pct, each.score_change) for each in whole
    ]
    assert last is None
    assert {("H100", key)} == {(each.model, each.listing_key) for each in whole}
    pages, after = [], None
    for _ in whole:
        page, after = follow_listing(context, listing_key_from_hex(key), limit=1, after=after)
        pages += page
    assert (whole, None) == (pages, after)


def test_an_offer_that_nobody_saw(context: Context, crawl: Crawl) -> None:
    """It has no sightings, which is no failure; neither has one whose import was rolled back."""
    only = crawl(1, ("a", 100))
    crawl(2, ("a", 101), source="other")
    key = listing_key_from_hex(follow_key(context))
    assert ([], None) == follow_listing(context, key ^ 1, limit=9)
    roll_back_import(context, only, "ana")
    assert [101] == [each.price for each in follow_listing(context, key, limit=9)[0]]


def follow_key(context: Context) -> str:
    """Return the listing_key of the one offer that is there."""
    return str(browse_listings(context, ListingQuery(), limit=1).items[0]["listing_key"])
