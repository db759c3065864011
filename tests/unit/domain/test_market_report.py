"""What a price is measured by: budgets, and how far it is from the median of its model."""

import pytest

from glyphd.domain.market_report import LEAST_SCALE, MIN_LISTINGS, NORMAL_MAD, THRESHOLD, budgets_for, deviations


@pytest.mark.parametrize(
    ("lowest", "highest", "budgets"),
    [
        (325, 49_999, [500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000]),
        (1_500, 2_500, [2_500]),
        (500, 501, [500, 1_000]),
        (90_000, 99_000, []),
    ],
)
def test_budgets_are_steps_that_buy_something(lowest: float, highest: float, budgets: list[float]) -> None:
    """The first buys the cheapest row, the last one all rows; nothing costs more than the highest step."""
    assert budgets == budgets_for(lowest, highest)


def test_a_deviation_is_in_scales_from_the_median() -> None:
    """A scale is 1.4826 MAD: of 100, 200, 300, 400, 500 the median is 300 and the MAD 100."""
    assert [-2, -1, 0, 1, 2] == [
        round(found * NORMAL_MAD, 9) for found in deviations([100.0, 200.0, 300.0, 400.0, 500.0])
    ]


def test_where_most_ask_the_same_a_scale_is_a_share_of_the_median() -> None:
    """The MAD is 0 there, and a cent more would be infinitely far."""
    found = deviations([1000.0] * 6 + [1000.01, 1080.0])
    assert [0.0] * 6 == found[:6]
    assert THRESHOLD > found[6] > 0
    assert THRESHOLD < found[7] == 80 / (LEAST_SCALE * 1000)


def test_of_few_rows_and_of_no_price_nothing_is_said() -> None:
    """Four rows are no market; where the median is nothing there is no scale."""
    assert [0.0] * 4 == deviations([1.0, 1.0, 1.0, 99.0])
    assert MIN_LISTINGS == len(deviations([0.0] * MIN_LISTINGS))
    assert {0.0} == set(deviations([0.0] * MIN_LISTINGS))
