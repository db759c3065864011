"""Prices of a model through time: by batch and by the calendar, gaps included, late crawls in their place."""

import random
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import permutations
from statistics import quantiles
from typing import Any

import pytest

from glyphd.domain.history import Bucket, PriceBucket
from glyphd.domain.imports import PublishMode
from glyphd.services.charting import PricePage, chart_prices
from glyphd.services.context import Context
from glyphd.services.periods import Period, Place
from glyphd.services.replaying import replay_import
from glyphd.services.rolling_back import restore_import, roll_back_import
from glyphd.services.running import run_next

START = datetime(2026, 6, 29, tzinfo=UTC)  # a Monday

Crawl = Callable[..., str]


def day(number: float) -> datetime:
    """Return a moment so many days after the start."""
    return START + timedelta(days=number)


@pytest.fixture
def crawl(publish: Callable[..., str], make_lines: Callable[..., str]) -> Crawl:
    """Import a batch observed on a day, with these prices."""

    def run(number: float, *prices: float, source: str = "shop", model: str = "H100", **options: Any) -> str:
        return publish(make_lines(*prices, model=model), source=source, observed_at=day(number), **options)

    return run


def chart(context: Context, bucket: str, model: str = "H100", **period: Any) -> list[PriceBucket]:
    """Return the whole history, read a page of two at a time."""
    found: list[PriceBucket] = []
    after: Place | None = None
    while True:
        page = chart_prices(context, model, Bucket(bucket), Period(**period), limit=2, after=after)
        found += page.items
        after = page.last
        if after is None:
            return found


def short(found: Sequence[PriceBucket]) -> list[tuple[Any, ...]]:
    """Return the day of each bucket, its count, least, median and greatest price."""
    return [
        ((each.start - START).total_seconds() / 86400, each.count, each.min, each.median, each.max) for each in found
    ]


def test_a_bucket_is_the_union_of_its_batch_views(context: Context, crawl: Crawl) -> None:
    """Of all sources, or of one; days without a sighting are there, and empty."""
    crawl(0.25, 10, 20)
    crawl(0.5, 30)
    crawl(0.75, 40, source="other")
    crawl(3, 5)
    crawl(4, 1, model="L4")

    gap = (0, None, None, None)
    assert [(0, 4, 10, 25, 40), (1, *gap), (2, *gap), (3, 1, 5, 5, 5)] == short(chart(context, "day"))
    assert [(0, 1, 40, 40, 40)] == short(chart(context, "day", source="other"))
    assert [(0, 5, 5, 20, 40)] == short(chart(context, "week"))
    assert [(4, 1, 1, 1, 1)] == short(chart(context, "day", "l-4"))


@pytest.mark.parametrize(("bucket", "days"), [("week", [-7, 0, 7]), ("month", [-28, 2]), ("day", range(-1, 8))])
def test_buckets_of_the_calendar(context: Context, crawl: Crawl, bucket: str, days: Sequence[int]) -> None:
    """In UTC; weeks begin on Monday, months on the first."""
    crawl(-0.00001, 1)
    crawl(7, 2)

    assert list(days) == [each[0] for each in short(chart(context, bucket))]


def test_by_import(context: Context, crawl: Crawl) -> None:
    """A batch is a row, with its amendments and as its replay has it; one without the model is an empty row."""
    first = crawl(0, 10)
    crawl(0, 11, parent_import_id=first)
    replay_import(context, first, "ana")
    run_next(context, "worker")
    empty = crawl(1, 9, model="L4")
    last = crawl(1.5, 20, source="other")
    crawl(2, 9, model="L4")

    found = chart(context, "import")
    assert [(first, "shop", 2, 10.5), (empty, "shop", 0, None), (last, "other", 1, 20)] == [
        (each.import_id, each.source, each.count, each.median) for each in found
    ]


def test_period(context: Context, crawl: Crawl) -> None:
    """From ``since`` to before ``until``; ``as_of`` includes its moment, as it does elsewhere."""
    for number in range(4):
        crawl(number, number + 1)

    assert [2, 3] == [each.min for each in chart(context, "day", since=day(1), until=day(3))]
    assert [1, 2, 3] == [each.min for each in chart(context, "import", as_of=day(2))]
    assert [1] == [each.min for each in chart(context, "day", as_of=day(2), until=day(1))]
    assert [1, 2, 3, 4] == [each.min for each in chart(context, "day", as_of=datetime.max.replace(tzinfo=UTC))]
    assert [] == chart(context, "day", since=day(9))


def test_spellings_are_one_model(context: Context, crawl: Crawl) -> None:
    """They are merged, and named; a model that is not known has no history."""
    crawl(0, 10, model="A100 40GB")
    crawl(0, 30, model="a100_40gb")

    page = chart_prices(context, "A100-40gb", Bucket.DAY, Period(), limit=9)
    assert (["A100 40GB", "a100_40gb"], [(0, 2, 10, 20, 30)], None) == (page.names, short(page.items), page.last)
    assert ([], []) == (
        chart_prices(context, "none", Bucket.DAY, Period(), limit=9).names,
        chart(context, "day", "none"),
    )


def test_spellings_are_those_of_what_is_asked_for(context: Context, crawl: Crawl) -> None:
    """Not those of another source or time; with a roll back a spelling goes too, and the answer is what it was."""

    def page(**period: Any) -> PricePage:
        return chart_prices(context, "a100", Bucket.DAY, Period(**period), limit=1)

    crawl(0, 10, model="A100")
    crawl(1, 20, model="a100", source="other")
    before = page()
    bad = crawl(2, 30, model="a-100")
    crawl(3, 40, model="A 100", publish=PublishMode.HOLD)

    assert ["A100", "a-100", "a100"] == page().names
    assert ["A100", "a-100"] == page(source="shop").names
    assert ["A100", "a100"] == page(as_of=day(1)).names
    assert ["a-100"] == page(since=day(2)).names
    assert ["A100"] == page(until=day(1)).names
    assert [] == page(since=day(3)).names
    roll_back_import(context, bad, "ana")
    assert before == page()


def test_percentiles_are_those_of_the_standard_library(context: Context, crawl: Crawl) -> None:
    """Interpolated linearly over all prices of the bucket, the ends included."""
    chance = random.Random(7)
    for size in range(2, 8):
        prices = [round(chance.uniform(1, 9999), 2) for _ in range(size)]
        crawl(size, *prices[:1])
        crawl(size + 0.5, *prices[1:])
        found = chart(context, "day", since=day(size))[0]
        expected = [*quantiles(prices, n=4, method="inclusive")]
        assert pytest.approx(expected) == [found.p25, found.median, found.p75]
        assert (size, min(prices), max(prices)) == (found.count, found.min, found.max)


def test_a_rolled_back_import_is_in_no_bucket(context: Context, crawl: Crawl) -> None:
    """At once; restoring it brings the same history back."""
    crawl(0, 10)
    bad = crawl(1, 99)
    crawl(2, 11)
    before = {bucket: chart(context, bucket) for bucket in Bucket}
    roll_back_import(context, bad, "ana")

    assert [10, None, 11] == [each.median for each in chart(context, "day")]
    assert [10, 11] == [each.median for each in chart(context, "import")]
    restore_import(context, bad, "ana")
    assert before == {bucket: chart(context, bucket) for bucket in Bucket}


@pytest.mark.parametrize("bucket", ["day", "import"])
def test_any_order_of_arrival_gives_the_same_history(context: Context, crawl: Crawl, bucket: str) -> None:
    """A late, backfilled crawl takes its place in the past, and what was before it stays as it was."""
    crawls = [(0.0, 10), (1.0, 20), (1.5, 25), (3.0, 30)]
    past, whole = set(), set()
    for order in permutations(crawls):
        if order.index(crawls[0]) < 2:  # half of the orders are enough
            continue
        source = "-".join(str(price) for _, price in order)
        for number, price in order:
            crawl(number, price, source=source)
            if crawls[0] in order[: order.index((number, price)) + 1]:
                past.add(tuple(short(chart(context, bucket, source=source, as_of=day(0.5)))))
        whole.add(tuple(short(chart(context, bucket, source=source))))

    assert {((0, 1, 10, 10, 10),)} == past
    assert 1 == len(whole)
    assert [10, 20, 25, 30] == sorted({figure for each in whole.pop() for figure in each[2:5:2] if figure})
