"""The words for figures."""

from datetime import timedelta

import pytest

from glyphd.domain.findings import Names, spoken_bytes, spoken_count, spoken_span


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 s"),
        (119, "119 s"),
        (120, "2 min"),
        (-150, "2 min"),
        (7_199, "120 min"),
        (7_200, "2 h"),
        (172_800, "2 days"),
    ],
)
def test_spans_are_told_in_the_unit_that_fits(seconds: int, words: str) -> None:
    """Of at least two of it, and without a sign."""
    assert words == spoken_span(timedelta(seconds=seconds))


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (0, "0 B"),
        (1023, "1023 B"),
        (1536, "1.5 KiB"),
        (5 << 20, "5.0 MiB"),
        (3 << 30, "3.0 GiB"),
        (2 << 40, "2.0 TiB"),
        (1 << 52, "4096.0 TiB"),
    ],
)
def test_bytes_are_told_in_the_unit_that_fits(number: int, words: str) -> None:
    """TiB is the largest."""
    assert words == spoken_bytes(number)


def test_one_is_not_many() -> None:
    """A noun goes with its number."""
    assert ["0 imports", "1 import", "2 imports"] == [spoken_count(number, "import") for number in range(3)]


def test_only_the_first_names_are_kept() -> None:
    """All are counted."""
    few, many = Names(["a", "b", "c"]), Names(str(number) for number in range(1_000))
    assert [(3, "a, b, c"), (1_000, "0, 1, 2, …")] == [(few.count, str(few)), (many.count, str(many))]
