"""Buckets of the calendar, and the pairing of sightings."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glyphd.domain.history import Bucket, Seen, bucket_start, bucket_starts, change, change_pct, pair_sightings

CALENDAR = st.sampled_from([Bucket.DAY, Bucket.WEEK, Bucket.MONTH])
MOMENTS = st.datetimes(timezones=st.just(UTC))


@given(bucket=CALENDAR, moment=MOMENTS)
def test_a_moment_is_in_its_bucket(bucket: Bucket, moment: datetime) -> None:
    """It begins at midnight, not after the moment, and is its own start."""
    start = bucket_start(bucket, moment)

    assert start <= moment
    assert start == bucket_start(bucket, start)
    assert (0, 0, 0, 0) == (start.hour, start.minute, start.second, start.microsecond)
    assert bucket is not Bucket.WEEK or start.weekday() == 0
    assert bucket is not Bucket.MONTH or start.day == 1


@given(bucket=CALENDAR, first=MOMENTS, days=st.integers(0, 400))
def test_buckets_follow_each_other_without_holes(bucket: Bucket, first: datetime, days: int) -> None:
    """Each begins where the one before it ends, up to the last moment that there is."""
    last = first + min(timedelta(days), datetime.max.replace(tzinfo=UTC) - first)
    starts = list(bucket_starts(bucket, bucket_start(bucket, first), bucket_start(bucket, last)))

    assert [bucket_start(bucket, first), bucket_start(bucket, last)] == [starts[0], starts[-1]]
    for one, following in pairwise(starts):
        assert following == bucket_start(bucket, following)
        assert one == bucket_start(bucket, following - timedelta(microseconds=1))


def test_a_batch_is_its_own_bucket() -> None:
    """To the microsecond."""
    moment = datetime(2026, 7, 1, 12, 30, 1, 7, UTC)

    assert moment == bucket_start(Bucket.IMPORT, moment)


def seen(*prices: float) -> list[Seen]:
    """Return a sighting for each price."""
    return [Seen(price, 50, "import", index) for index, price in enumerate(prices, start=1)]


@pytest.mark.parametrize(
    ("later", "earlier", "expected"),
    [
        ([], [], []),
        ([5], [], [(5, None)]),
        ([], [5], []),
        ([30, 10], [20, 11], [(10, 11), (30, 20)]),
        ([30, 10, 20], [1], [(10, 1), (20, None), (30, None)]),
        ([10], [9, 8], [(10, 8)]),
    ],
)
def test_pairs_in_order_of_price(
    later: list[float], earlier: list[float], expected: list[tuple[float, float | None]]
) -> None:
    """The dearest of more of them have none before; the dearest of fewer are gone."""
    pairs = pair_sightings(seen(*later), seen(*earlier))

    assert expected == [(now.price, before and before.price) for now, before in pairs]


def test_changes_have_no_noise_of_floating_point() -> None:
    """Four decimals, as in a diff: 0.1 + 0.2 is nobody's price."""
    assert (0.3, -0.3, 0.3003) == (change(100.3, 100.0), change(71.1, 71.4), change_pct(100.2, 99.9))
    assert (0, "0.0") == (change(1.00001, 1), str(change(1, 1.00001)))


def test_what_cannot_be_told_as_a_number_is_none() -> None:
    """A percentage of no price, and what is out of range."""
    assert [50, -50, None, None, None] == [
        change_pct(150, 100),
        change_pct(50, 100),
        change_pct(1, 0),
        change_pct(1, -1),
        change_pct(1e308, 1e-300),
    ]
    assert (2, None) == (change(3, 1), change(1e308, -1e308))
