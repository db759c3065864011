"""The pages: what they show, on an empty installation and on one in use."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from glyphd.console.routes import overview
from glyphd.domain.gates import GateLimits
from glyphd.domain.imports import PublishMode
from glyphd.domain.report import ImportReport
from glyphd.services.context import Context
from glyphd.services.options import ImportOptions
from glyphd.services.receiving import receive_import, store_file
from tests.integration.console.reading import read

UNKNOWN = "01997c1e-4a00-7d5e-9c39-0f6a4cf0a1b2"
BAD = {"price": "call us"}

MakeCsv = Callable[..., Path]
ImportFile = Callable[..., ImportReport]


@pytest.mark.parametrize("address", ["/", "/imports"])
def test_an_empty_installation_says_what_to_do_first(console: httpx.Client, address: str) -> None:
    """There is no table of nothing, but the command that imports a file."""
    page = read(console, address)

    assert "Nothing is imported yet" in page.text
    assert "curl -X POST" in page.text
    assert [] == page.rows


def test_the_overview_shows_each_source(console: httpx.Client, import_file: ImportFile, make_csv: MakeCsv) -> None:
    """Rows, reject rate and price move are those of what stands for it now."""
    import_file(make_csv({"price": "1000.00"}), source="wamatek")
    latest = import_file(make_csv({"price": "1100.00"}, BAD), source="wamatek")
    import_file(make_csv(BAD, {}), source="ebay-halbry", publish=PublishMode.HOLD)
    page = read(console, "/")

    wamatek = next(row for row in page.rows if row[0] == "wamatek")
    assert ["2", "1", "50.0 %", "+10.00 %"] == wamatek[3:]
    assert f"/imports/{latest.import_id}" == page.links[latest.import_id]
    halbry = next(row for row in page.rows if row[0] == "ebay-halbry")
    assert ["nothing is published", "—", "—", "—", "—"] == halbry[2:]


def test_what_waits_for_a_decision_comes_first(
    console: httpx.Client, import_file: ImportFile, make_csv: MakeCsv
) -> None:
    """A staged import stands above the sources, and not once it is decided on."""
    import_file(make_csv({}), source="wamatek")
    staged = import_file(make_csv({"price": "9.00"}), source="wamatek", publish=PublishMode.HOLD)
    text = read(console, "/").text

    assert text.index("Waits for a decision") < text.index(staged.import_id) < text.index("Sources")


def test_what_runs_is_marked_to_be_kept_up_to_date(console: httpx.Client, context: Context, make_csv: MakeCsv) -> None:
    """On the overview and on its own page; a finished page has nothing to fetch again."""
    file = store_file(context, make_csv({}))
    import_id = receive_import(context, ImportOptions(source="wamatek"), [file], "test")

    for address, name in (("/", "pending"), ("/imports", "imports"), (f"/imports/{import_id}", "progress")):
        live = [given["id"] for _, given in read(console, address).elements if "data-live" in given]
        assert [name] == live


def test_the_list_of_imports_is_filtered_and_paged(
    console: httpx.Client, import_file: ImportFile, make_csv: MakeCsv
) -> None:
    """Fields left empty filter nothing; the link to older imports keeps the filters."""
    reports = [import_file(make_csv({"price": f"{price}.00"}), source="wamatek") for price in (1, 2, 3)]
    import_file(make_csv({"price": "4.00"}), source="ebay-halbry", publish=PublishMode.HOLD)
    page = read(console, "/imports?source=wamatek&status=published&since=&until=&limit=2")

    assert [reports[2].import_id, reports[1].import_id] == [row[0] for row in page.rows[1:]]
    older = read(console, page.links["Further imports"])
    assert [reports[0].import_id] == [row[0] for row in older.rows[1:]]
    assert "Further imports" not in older.links
    first = read(console, older.links["First page"])
    assert [row[0] for row in page.rows] == [row[0] for row in first.rows]
    assert "First page" not in page.links
    assert "No import is like that" in read(console, "/imports?source=wamatek&status=staged").text
    assert 4 == len(read(console, "/imports?status=staged&status=published").rows[1:])


def test_the_list_of_imports_is_sorted_by_its_headings(
    console: httpx.Client, import_file: ImportFile, make_csv: MakeCsv
) -> None:
    """The greatest first, then the other way; filters keep the sort, and the sort keeps them."""
    two, one, three = (
        import_file(make_csv({"price": f"{rows}.00"}, *[{}] * (rows - 1)), source="wamatek").import_id
        for rows in (2, 1, 3)
    )
    page = read(console, "/imports?source=wamatek&limit=2")
    assert "descending" == next(
        given["aria-sort"] for _, given in page.elements if "aria-sort" in given and given["aria-sort"] != "none"
    )
    most = read(console, page.links["rows"])
    assert [three, two] == [row[0] for row in most.rows[1:]]
    assert [one] == [row[0] for row in read(console, most.links["Further imports"]).rows[1:]]
    fewest = read(console, most.links["rows"])
    assert [one, two] == [row[0] for row in fewest.rows[1:]]
    assert ["ascending"] == [
        order for _, given in fewest.elements if (order := given.get("aria-sort", "none")) != "none"
    ]
    assert {"sort": "count", "since": "", "until": "", "limit": "2"} == fewest.forms["/imports"]
    assert "source=wamatek" in fewest.links["received"]


def test_an_import_shows_its_report(console: httpx.Client, import_file: ImportFile, make_csv: MakeCsv) -> None:
    """Counts, gates, rejections by code with examples, models and the audit trail; links to what can be taken along."""
    gates = GateLimits(max_reject_rate=0.5)
    report = import_file(make_csv({}, BAD, BAD, {"vram_gb": "0"}), source="wamatek", gates=gates)
    page = read(console, f"/imports/{report.import_id}")

    assert ["max reject rate", "0.5", "0.75", "failed"] in page.rows
    assert ["2", "price", "call us", "price must be a number"] in page.rows
    assert ["H100_PCIE_80GB", "1"] in page.rows
    assert ["price", "price"] in page.rows
    assert ["staged"] == [row[2] for row in page.rows if row[1] == "worker"][-1:]
    assert page.text.index("not_a_number 2 ×") < page.text.index("out_of_range 1 ×")
    assert ["3"] == [row[0] for row in read(console, page.links["All of not a number"]).rows[2:]]
    for name in ("Download to fix (CSV)", "All (JSON)", "batch.csv", "Listings", "Listings (CSV)", "Market report"):
        assert 200 == console.get(page.links[name]).status_code


def test_a_failed_import_says_why(console: httpx.Client, import_file: ImportFile, make_csv: MakeCsv) -> None:
    """And offers nothing that is not possible."""
    page = read(console, f"/imports/{import_file(make_csv(BAD)).import_id}")

    assert "State failed" in page.text
    assert {} == page.forms


def test_every_page_is_sent_under_the_policy(console: httpx.Client, import_file: ImportFile, make_csv: MakeCsv) -> None:
    """Nothing inline, nothing from elsewhere, failures included; and nothing is kept by what is between."""
    import_id, second = (import_file(make_csv({"price": price}, BAD)).import_id for price in ("1.00", "2.00"))
    staged = import_file(make_csv({"price": "3.00"}), publish=PublishMode.HOLD).import_id
    addresses = (
        "/",
        "/imports",
        "/imports/new",
        f"/imports/{import_id}",
        f"/imports/{import_id}/rollback",
        f"/imports/{import_id}/rejections",
        f"/imports/{staged}/discard",
        f"/imports/{UNKNOWN}",
        f"/imports/{second}/diff",
        f"/listings/{import_id}/1",
        "/listings",
        "/models",
        "/models/H100_PCIE_80GB",
        "/report",
    )
    for address in addresses:
        answer = console.get(address)
        assert answer.headers["content-security-policy"].startswith("default-src 'none'; style-src 'self'; script-src")
        assert "nosniff" == answer.headers["x-content-type-options"]
        assert "no-store" == answer.headers["cache-control"]
        for tag, given in read(console, address, answer.status_code).elements:
            assert not {name for name in given if name.startswith("on") or name == "style"}
            assert "style" != tag
            assert tag != "script" or given["src"]
            source = given.get("src") or given.get("href") or ""
            assert source.startswith(("/", "#")) or not source


def test_what_pages_load_is_kept_for_ever(console: httpx.Client) -> None:
    """The address of each file changes with its bytes. Only the page that sends files has one more."""
    pages = [read(console, address) for address in ("/", "/imports/new")]
    loaded = [
        [given.get("src") or given["href"] for tag, given in page.elements if tag in {"link", "script"}]
        for page in pages
    ]

    assert [3, 4] == [len(addresses) for addresses in loaded]
    for address in loaded[1]:
        answer = console.get(str(address))
        assert 200 == answer.status_code
        assert "immutable" in answer.headers["cache-control"]
    read(console, "/static/nothing.css", 404)


@pytest.mark.parametrize(
    ("address", "status", "title"),
    [
        (f"/imports/{UNKNOWN}", 404, "There is no import with this id"),
        (f"/imports/{UNKNOWN}/rollback", 404, "There is no import with this id"),
        (f"/imports/{UNKNOWN}/discard", 404, "There is no import with this id"),
        (f"/imports/{UNKNOWN}/rejections", 404, "There is no import with this id"),
        (f"/imports/{UNKNOWN}/rejections?code=none", 422, "A parameter has a value that is not accepted"),
        (f"/imports/new/{'0' * 32}", 404, "The files are not here, or not any more"),
        ("/nowhere", 404, "There is nothing at this path"),
        ("/imports?limit=many", 422, "A parameter has a value that is not accepted"),
        ("/imports?since=never", 422, "A parameter has a value that is not accepted"),
        ("/imports?colour=red", 422, "A parameter has a value that is not accepted"),
        ("/imports?cursor=x", 422, "A parameter has a value that is not accepted"),
    ],
)
def test_a_failure_is_a_page_with_what_to_do(console: httpx.Client, address: str, status: int, title: str) -> None:
    """For who accepts HTML; for everyone else, and under `/api`, it is a problem."""
    page = read(console, address, status)

    assert title in page.text
    assert "What to do:" in page.text
    problem = console.get(address, headers={"Accept": "application/json"})
    assert (status, title) == (problem.status_code, problem.json()["title"])


def test_failures_of_the_api_stay_problems(console: httpx.Client) -> None:
    """A browser that opens an address of the API gets what every client gets."""
    answer = console.get(f"/api/imports/{UNKNOWN}")
    assert "application/problem+json" == answer.headers["content-type"]


def test_what_nobody_foresaw_is_a_page_too(console: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """It names the request, by whose id the log is searched, and nothing else."""

    def fail(context: Any) -> None:
        raise ZeroDivisionError("a secret")

    monkeypatch.setattr(overview, "oversee", fail)
    page = read(console, "/", 500)

    assert "request" in page.text
    assert "a secret" not in page.source
