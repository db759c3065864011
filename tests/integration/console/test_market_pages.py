"""Market, model, listings, lineage, difference and report: each shows what its service finds."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from glyphd.console import coming
from glyphd.console.routes import listings
from glyphd.domain.report import ImportReport
from tests.integration.console.reading import Page, read, send

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


def test_the_market_tells_how_medians_moved(console: httpx.Client, crawls: list[ImportReport]) -> None:
    """Since the batch before of the same source; where there is none, nothing is told."""
    now = next(row for row in read(console, "/models").rows if row[0] == "H100_PCIE_80GB")
    assert ["139.0 %", "+47.50 %"] == now[5:7]
    then = next(row for row in read(console, "/models?as_of=2026-07-01").rows if row[0] == "H100_PCIE_80GB")
    assert ["100.0 %", "—"] == then[5:7]


def test_the_change_of_a_model_skips_what_was_rolled_back(
    console: httpx.Client, crawls: list[ImportReport], import_file: Callable[..., ImportReport], make_csv: MakeCsv
) -> None:
    """The batch before is the one that is read."""
    import_file(make_csv({"price": "2000.00", **URL}), source="wamatek", observed_at=datetime(2026, 7, 3, tzinfo=UTC))
    roll_back(console, crawls[1])

    assert "+0.00 %" == next(row for row in read(console, "/models").rows if row[0] == "H100_PCIE_80GB")[6]
    assert "+0.00 %" == next(row for row in read(console, "/").rows if row[0] == "wamatek")[6]


def test_an_amendment_counts_in_the_change_of_a_model(
    console: httpx.Client, crawls: list[ImportReport], import_file: Callable[..., ImportReport], make_csv: MakeCsv
) -> None:
    """As it does in the median beside it; rolled back, it counts in neither, and is marked among the prices."""
    fixed = make_csv({"price": "5000.00", **GONE}, {"price": "5000.00", **GONE})
    amendment = import_file(fixed, parent_import_id=crawls[1].import_id)
    for order in ("", "?sort=change", "?sort=median_price"):
        now = next(row for row in read(console, f"/models{order}").rows if row[0] == "H100_PCIE_80GB")
        assert ["$5,000.00", "+150.00 %"] == [now[3], now[6]]

    roll_back(console, amendment)
    now = next(row for row in read(console, "/models").rows if row[0] == "H100_PCIE_80GB")
    assert ["$2,950.00", "+47.50 %"] == [now[3], now[6]]
    marked = table_of(read(console, "/models/H100_PCIE_80GB"), "observed")
    assert [[amendment.import_id, "wamatek", "2", "$5,000.00"]] == [row[1:] for row in marked]


def roll_back(console: httpx.Client, report: ImportReport) -> None:
    """Roll an import back, as its page does."""
    address = f"/imports/{report.import_id}/rollback"
    send(console, read(console, address), address, reason="wrong prices")


def test_headings_sort_the_market(
    console: httpx.Client, import_file: Callable[..., ImportReport], make_csv: MakeCsv
) -> None:
    """The greatest first, then the other way round; pages keep the order, and a name narrows it."""
    prices = {"AAA": ["9.00", "9.00"], "BBB": ["5.00", "1.00"], "CCC": ["7.00", "2.00"]}
    for source, nth in (("one", 0), ("two", 1)):
        rows = [{"canonical_model": name, "price": given[nth]} for name, given in prices.items()]
        import_file(make_csv(*rows), source=source, observed_at=datetime(2026, 7, 1 + nth, tzinfo=UTC))

    page = read(console, "/models")
    greatest = read(console, page.links["median"])
    assert ["AAA", "CCC", "BBB"] == [row[0] for row in greatest.rows[1:]]
    assert ["$9.00", "$4.50", "$3.00"] == [row[3] for row in greatest.rows[1:]]
    least = read(console, f"{greatest.links['median']}&limit=2")
    assert ["BBB", "CCC"] == [row[0] for row in least.rows[1:]]
    assert ["AAA"] == [row[0] for row in read(console, least.links["Further models"]).rows[1:]]
    orders = {given["aria-sort"] for _, given in least.elements if given.get("aria-sort", "none") != "none"}
    assert {"ascending"} == orders
    assert ["AAA", "BBB", "CCC"] == [row[0] for row in read(console, "/models?sort=-change").rows[1:]]
    assert ["BBB"] == [row[0] for row in read(console, "/models?q=b-b&sort=-last_seen_at").rows[1:]]
    assert "No model of this view is like that" in read(console, "/models?q=none").text
    read(console, "/models?sort=colour", 422)


def table_of(page: Page, first: str) -> list[list[str]]:
    """Return the rows of the table whose heading begins so."""
    start = next(at for at, row in enumerate(page.rows) if row and row[0] == first)
    size = len(page.rows[start])
    rows = page.rows[start + 1 :]
    return rows[: next((at for at, row in enumerate(rows) if len(row) != size or row[0] == first), len(rows))]


@pytest.mark.parametrize("bucket", ["day", "import"])
def test_a_model_shows_its_prices_through_time(console: httpx.Client, crawls: list[ImportReport], bucket: str) -> None:
    """As a chart, and as a table beside it."""
    page = read(console, f"{read(console, '/models').links['H100_PCIE_80GB']}?bucket={bucket}")

    prices = table_of(page, "from")
    assert [["$2,000.00", "$3,000.00"], ["$2,950.00", "$5,000.00"]] == [[row[5], row[7]] for row in prices]
    assert ["img"] == [given["role"] for tag, given in page.elements if tag == "svg"]
    assert {name for _, given in page.elements for name in given}.isdisjoint({"style", "onclick"})


def test_a_model_shows_what_there_is_of_it(console: httpx.Client, crawls: list[ImportReport]) -> None:
    """The cheapest and the best value, each leading to where it is from; or what there was, as of a moment."""
    page = read(console, "/models/h100-pcie 80gb")

    assert ["$900.00", "$5,000.00"] == [row[0] for row in table_of(page, "price")]
    assert f"/listings/{crawls[1].import_id}/1" == page.links["$900.00"]
    then = read(console, "/models/H100_PCIE_80GB?as_of=2026-07-01T12:00:00Z")
    assert ["$1,000.00", "$3,000.00"] == [row[0] for row in table_of(then, "price")]


def test_a_model_shows_what_was_rolled_back(console: httpx.Client, crawls: list[ImportReport]) -> None:
    """As a dot in the chart, and as a row beside it that leads to the import; not among the prices."""
    roll_back(console, crawls[1])
    page = read(console, "/models/H100_PCIE_80GB?bucket=import")

    assert [["wamatek", "2", "$2,950.00"]] == [row[2:] for row in table_of(page, "observed")]
    assert f"/imports/{crawls[1].import_id}" == page.links[crawls[1].import_id]
    assert ["$2,000.00"] == [row[5] for row in table_of(page, "from")]
    assert "serie-3" in page.source
    assert "serie-3" not in read(console, "/models/H100_PCIE_80GB?until=2026-07-02").source


def test_a_model_that_nobody_has_seen_is_said(console: httpx.Client) -> None:
    """A name with a slash is a name like any other."""
    assert "No published batch of this time has this model" in read(console, "/models/A%2FB").text


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


def coming_later(page: Page) -> str:
    """Return the address of what the page fetches once it is there, which who has no JavaScript follows."""
    address = next(given["data-coming"] or "" for _, given in page.elements if "data-coming" in given)
    assert address == page.links["Show it"]
    return address


def test_a_difference_of_many_rows_comes_after_its_page(
    console: httpx.Client, crawls: list[ImportReport], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the same filters; its further pages come after theirs."""
    monkeypatch.setattr(coming, "ROWS", 3)
    page = read(console, f"/imports/{crawls[1].import_id}/diff?change=appeared&change=disappeared&limit=1")
    assert [] == page.rows

    whole = read(console, coming_later(page))
    assert ["H100_PCIE_80GB", "appeared", "", "$5,000.00", "—", "—", "71.4"] in whole.rows
    assert ("div", "whole") in [(tag, given.get("id")) for tag, given in whole.elements]
    assert not any("data-coming" in given for _, given in whole.elements)
    further = read(console, whole.links["Further offers"])
    assert ["H100_PCIE_80GB", "disappeared", "$3,000.00"] in [
        row[:3] for row in read(console, coming_later(further)).rows
    ]


def test_a_record_of_a_large_file_comes_after_its_page(
    console: httpx.Client, crawls: list[ImportReport], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is known without reading the file is there at once."""
    monkeypatch.setattr(listings, "BYTES", 10)
    page = read(console, f"/listings/{crawls[1].import_id}/1")
    assert ["this one", "wamatek", "$900.00", "71.4"] in [row[1:] for row in page.rows]
    assert "900.00,71.4" not in page.text

    assert ["price", "price", "900.00", "900.0"] in read(console, coming_later(page)).rows


def test_any_two_imports_are_compared(console: httpx.Client, crawls: list[ImportReport]) -> None:
    """A form suggests the newest; there is a way round, and what cannot be compared is said."""
    earlier, later = (each.import_id for each in crawls)
    page = read(console, "/diff")
    assert {earlier, later} == {given["value"] for tag, given in page.elements if tag == "option"}

    compared = read(console, f"/diff?against={later}&import_id={earlier}")
    assert ["H100_PCIE_80GB", "price up", "$900.00", "$1,000.00", "+11.11 %", "71.4", "71.4"] in compared.rows
    assert f"/imports/{later}/diff?against={earlier}" == compared.links["The other way round"]
    read(console, f"/diff?against={later}&import_id=nothing", 422)


def test_a_report_is_read_in_the_console(console: httpx.Client, crawls: list[ImportReport]) -> None:
    """Of an import, or of a view; its rows lead to where they are from, and files of the same report can be had."""
    page = read(console, f"/report?import_id={crawls[0].import_id}&budget=1500")
    assert f"Market report of import {crawls[0].import_id}" in page.text
    assert "$1,500.00 buys 1 of the listings" in page.text
    assert f"/listings/{crawls[0].import_id}/1" == page.links[f"{crawls[0].import_id}:1"]
    for name, form in (("A page that stands alone", "html"), ("Markdown", "md"), ("JSON", "json")):
        same = console.get(page.links[name])
        assert (
            console.get(f"/api/report?import_id={crawls[0].import_id}&budget=1500&format={form}").content
            == same.content
        )

    assert "current view" in read(console, "/report").text
    assert "as of 2026-07-01 00:00:00 UTC" in read(console, "/report?source=wamatek&as_of=2026-07-01").text
    read(console, "/report?as_of=never", 422)


def test_a_report_of_many_rows_comes_after_its_page(
    console: httpx.Client, crawls: list[ImportReport], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The form is there at once."""
    monkeypatch.setattr(coming, "ROWS", 1)
    page = read(console, "/report")

    assert "2 listings of 1 models" not in page.text
    assert "2 listings of 1 models" in read(console, coming_later(page)).text
