"""Market, model, listings, lineage, difference and report: each shows what its service finds."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from glyphd.domain.report import ImportReport
from tests.integration.console.reading import read

MakeCsv = Callable[..., Path]
URL = {"source_url": "https://shop.example/1"}
OTHER = {"source_url": "https://shop.example/2"}
GONE = {"source_url": "https://shop.example/3"}


@pytest.fixture
def crawls(import_file: Callable[..., ImportReport], make_csv: MakeCsv) -> list[ImportReport]:
    """Two crawls of one source: a price fell, an offer came and one went."""
    rows = [
        [{"price": "1000.00", **URL}, {"price": "3000.00", **GONE}],
        [{"price": "900.00", **URL}, {"price": "5000.00", **OTHER}, {"price": "call us", **GONE}],
    ]
    return [
        import_file(make_csv(*each), source="wamatek", observed_at=datetime(2026, 7, day, tzinfo=UTC))
        for day, each in enumerate(rows, 1)
    ]


def test_the_market_shows_each_model(console: httpx.Client, crawls: list[ImportReport]) -> None:
    """Of the current view, or of that of a moment."""
    now = next(row for row in read(console, "/models").rows if row[0] == "H100_PCIE_80GB")
    assert ["2", "$900.00", "$2,950.00", "$5,000.00"] == now[1:5]
    then = next(row for row in read(console, "/models?as_of=2026-07-01").rows if row[0] == "H100_PCIE_80GB")
    assert ["2", "$1,000.00", "$2,000.00", "$3,000.00"] == then[1:5]


@pytest.mark.parametrize("bucket", ["day", "import"])
def test_a_model_shows_its_prices_through_time(console: httpx.Client, crawls: list[ImportReport], bucket: str) -> None:
    """As a chart, and as a table beside it."""
    page = read(console, f"{read(console, '/models').links['H100_PCIE_80GB']}?bucket={bucket}")

    assert [["$2,000.00", "$3,000.00"], ["$2,950.00", "$5,000.00"]] == [[row[5], row[7]] for row in page.rows[1:]]
    assert ["img"] == [given["role"] for tag, given in page.elements if tag == "svg"]
    assert {name for _, given in page.elements for name in given}.isdisjoint({"style", "onclick"})


def test_a_model_that_nobody_has_seen_is_said(console: httpx.Client) -> None:
    """A name with a slash is a name like any other."""
    assert "No published batch has this model" in read(console, "/models/A%2FB").text


def test_listings_are_filtered_and_lead_to_where_they_are_from(
    console: httpx.Client, crawls: list[ImportReport]
) -> None:
    """Fields left empty filter nothing; pages follow one another."""
    page = read(console, "/listings?model=h100+pcie+80gb&min_price=&current=true&limit=1")
    assert [["$900.00"]] == [[row[2]] for row in page.rows[1:]]
    further = read(console, page.links["Further listings"])
    assert [["$5,000.00"]] == [[row[2]] for row in further.rows[1:]]
    assert "Further listings" not in further.links
    assert "No listing is like that" in read(console, "/listings?max_price=1").text
    assert "min_price is above max_price" in read(console, "/listings?min_price=2&max_price=1", 422).text

    lineage = read(console, page.links["1"])
    assert ["price", "price", "900.00", "900.0"] in lineage.rows
    assert ["this one", "wamatek", "$900.00", "71.4"] in [row[1:] for row in lineage.rows]
    assert [f"{crawls[0].import_id}:1", "wamatek", "$1,000.00", "71.4"] in [row[1:] for row in lineage.rows]


def test_a_rejected_record_says_why(console: httpx.Client, crawls: list[ImportReport]) -> None:
    """With the record as it was submitted; one that is not there is not found."""
    page = read(console, f"/listings/{crawls[1].import_id}/3")

    assert "not_a_number price: price must be a number call us" in page.text
    assert "H100_PCIE_80GB,80,7,True,350,call us,71.4,https://shop.example/3" in page.text
    read(console, f"/listings/{crawls[1].import_id}/4", 404)


def test_a_difference_shows_figures_first(console: httpx.Client, crawls: list[ImportReport]) -> None:
    """Each price leads to the row that it is from."""
    link = read(console, f"/imports/{crawls[1].import_id}").links["What changed since the import before"]
    page = read(console, link)

    assert ["1", "1", "0", "1", "0", "0", "-10.00 %", "—", "-10.00 %"] == page.rows[1]
    assert ["H100_PCIE_80GB", "price down", "$1,000.00", "$900.00", "-10.00 %", "71.4", "71.4"] in page.rows
    assert f"/listings/{crawls[0].import_id}/1" == page.links["$1,000.00"]
    only = read(console, f"{link}?against={crawls[0].import_id}&change=appeared&model=&limit=1")
    assert ["appeared"] == [row[1] for row in only.rows[3:4]]
    read(console, f"/imports/{crawls[0].import_id}/diff", 422)


def test_a_report_is_a_page_by_itself(console: httpx.Client, crawls: list[ImportReport]) -> None:
    """Of an import or a view; a form asks which."""
    form = read(console, "/report")
    assert {"/report"} == set(form.forms)

    for query in (f"import_id={crawls[0].import_id}&budget=", "format=html&source=wamatek&as_of=", "as_of=2026-07-01"):
        answer = console.get(f"/report?{query}")
        assert 200 == answer.status_code
        assert "Market report" in answer.text
        assert "default-src 'none'" in answer.headers["content-security-policy"]
    read(console, "/report?as_of=never", 422)
