"""Crawls come late and out of order, and take their place in time: what is told of a moment does not depend on it."""

import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from glyphd.domain.history import Bucket
from glyphd.services.browsing import ListingQuery, browse_listings
from glyphd.services.charting import chart_prices
from glyphd.services.context import Context
from glyphd.services.options import ImportOptions
from glyphd.services.periods import Period
from glyphd.services.receiving import receive_import, store_artifact
from glyphd.services.running import run_next
from glyphd.services.surveying import Market, survey_models

START = datetime(2026, 7, 1, tzinfo=UTC)
HEADER = "canonical_model,vram_gb,tdp_watts,mig_support,nvlink,price,score"
ROWS = st.lists(st.tuples(st.sampled_from(["A100", "H100"]), st.integers(1, 9)), min_size=1, max_size=3)
CRAWLS = st.dictionaries(st.integers(0, 9), ROWS, min_size=2, max_size=4)
_NUMBERS = itertools.count()


def day(number: float) -> datetime:
    """Return a moment so many days after the start."""
    return START + timedelta(days=number)


def arrive(context: Context, source: str, number: int, rows: list[tuple[str, int]]) -> None:
    """Import a crawl that was made on a day."""
    lines = [HEADER, *(f"{model},80,350,7,true,{price},50" for model, price in rows)]
    with context.artifacts.writing() as writer:
        writer.write("\n".join(lines).encode())
        artifact = store_artifact(writer, "text/csv", None)
    receive_import(context, ImportOptions(source=source, observed_at=day(number)), [artifact], "test")
    while run_next(context, "worker"):
        pass


def told(context: Context, source: str, moment: datetime) -> list[Any]:
    """Return what is told of a source as of a moment, without what names its imports."""
    listed = browse_listings(context, ListingQuery(source=source, as_of=moment), limit=100).items
    models = survey_models(context, Market(moment, source), limit=100)
    charts = [
        chart_prices(context, model, bucket, Period(source=source, as_of=moment), limit=100)
        for model in ("A100", "H100")
        for bucket in Bucket
    ]
    buckets = [
        [(each.start, each.count, each.min, each.p25, each.median, each.p75, each.max) for each in chart.items]
        for chart in charts
    ]
    return [[(row["canonical_model"], row["price"]) for row in listed], models, buckets]


@given(crawls=CRAWLS, data=st.data())
@settings(
    max_examples=8,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_a_late_crawl_takes_its_place(context: Context, crawls: dict[int, list[tuple[str, int]]], data: Any) -> None:
    """In whatever order crawls arrive, every moment looks the same; and no crawl changes a moment before its own."""
    number = next(_NUMBERS)
    early, late = f"in-order-{number}", f"late-{number}"
    for each in sorted(crawls):
        arrive(context, early, each, crawls[each])
    order = data.draw(st.permutations(list(crawls)))
    for each in order:
        before = {at: told(context, late, day(at)) for at in range(each)}
        arrive(context, late, each, crawls[each])
        assert before == {at: told(context, late, day(at)) for at in range(each)}

    for at in range(-1, 11):
        assert told(context, early, day(at)) == told(context, late, day(at))


@pytest.mark.parametrize("bucket", Bucket)
def test_a_gap_is_told(context: Context, bucket: Bucket) -> None:
    """Between two crawls that are far apart there are buckets that nothing was seen in; of crawls there is none."""
    source = f"gap-{bucket}"
    for number in (0, 70):
        arrive(context, source, number, [("A100", 5)])
    counts = [each.count for each in chart_prices(context, "A100", bucket, Period(source=source), limit=100).items]

    assert {Bucket.IMPORT: 2, Bucket.DAY: 71, Bucket.WEEK: 11, Bucket.MONTH: 3}[bucket] == len(counts)
    assert (1, 1, 2) == (counts[0], counts[-1], sum(counts))
