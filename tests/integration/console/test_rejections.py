"""The page of an import's rejections: all of them, and those that are sought."""

from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from glyphd.domain.report import ImportReport
from glyphd.store import rejections
from tests.integration.console.reading import read

MakeCsv = Callable[..., Path]


@pytest.fixture
def address(import_file: Callable[..., ImportReport], make_csv: MakeCsv) -> str:
    """The page of an import with three rejections, records 2 to 4."""
    rejected = (
        {"price": "call us", "seller": "Öl & 'Co' 100%"},
        {"price": "call US", "vram_gb": "0", "seller": ""},
        {"vram_gb": "0", "seller": "Nobody_1"},
    )
    return f"/imports/{import_file(make_csv({'seller': ''}, *rejected)).import_id}/rejections"


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["2", "3", "4"]),
        ("?code=&q=", ["2", "3", "4"]),
        ("?code=not_a_number", ["2", "3"]),
        ("?code=out_of_range", ["3", "4"]),
        ("?q=Call%20us", ["2", "3"]),
        ("?q=nobody", ["4"]),
        ("?q=nobody_1", ["4"]),
        ("?q=nobody%251", []),
        ("?q=%C3%96l", ["2"]),
        ("?q=100%25", ["2"]),
        ("?q=%5C", []),
        ("?q=must%20be%20a%20number", ["2", "3"]),
        ("?code=out_of_range&q=call", ["3"]),
        ("?q=nowhere", []),
    ],
)
def test_rejections_are_sought_by_what_is_wrong_and_by_text(
    console: httpx.Client, address: str, query: str, found: list[str]
) -> None:
    """In the record as it was submitted, in a value and in what is wrong with it; signs stand for themselves."""
    page = read(console, address + query)

    assert found == [row[0] for row in page.rows[1:]]
    assert ("No rejection is like that" in page.text) is not bool(found)


def test_rejections_are_paged_and_keep_what_is_sought(console: httpx.Client, address: str) -> None:
    """Onward, and back to the first page."""
    first = read(console, f"{address}?code=out_of_range&limit=1")
    second = read(console, first.links["Further rejections"])

    assert (["3"], ["4"]) == ([row[0] for row in first.rows[1:]], [row[0] for row in second.rows[1:]])
    assert "Further rejections" not in second.links
    assert first.rows == read(console, second.links["First page"]).rows


def test_a_search_ends_early_and_goes_on(console: httpx.Client, address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only so many records are looked at for one page: one without any says that there are more to look at."""
    monkeypatch.setattr(rejections, "SEARCHED", 1)
    walked, page = [], read(console, f"{address}?q=nobody")
    assert "Nothing is like that up to here" in page.text
    while "Further rejections" in page.links:
        page = read(console, page.links["Further rejections"])
        walked += [row[0] for row in page.rows[1:]]
    assert ["4"] == walked


def test_a_rejection_shows_its_record_and_leads_on(console: httpx.Client, address: str) -> None:
    """To its lineage, and to all of them as a file to fix."""
    page = read(console, address)

    assert "price call us: price must be a number" in page.rows[1][1]
    assert "call us" in page.rows[1][2]
    for name in ("2", "Download to fix (CSV)", "For a spreadsheet", "All (JSON)"):
        assert 200 == console.get(page.links[name]).status_code


def test_an_import_without_rejections_says_so(
    console: httpx.Client, import_file: Callable[..., ImportReport], make_csv: MakeCsv
) -> None:
    """There is no table of nothing, and nothing to download."""
    page = read(console, f"/imports/{import_file(make_csv({})).import_id}/rejections")

    assert "Every record was stored" in page.text
    assert [] == page.rows
    assert "Download to fix (CSV)" not in page.links
