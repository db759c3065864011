"""Import a file from the browser."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from glyphd.domain.imports import ImportFilters, Kind, Status
from glyphd.domain.report import ImportReport
from glyphd.services.context import Context
from glyphd.services.reporting import report_imports
from tests.integration.console.reading import Page, read
from tests.serving import working

MakeCsv = Callable[..., Path]
BAD = {"price": "call us"}


@pytest.fixture
def worker(context: Context) -> Iterator[None]:
    """A worker beside the server."""
    with working(context):
        yield


def upload(console: httpx.Client, path: Path, address: str = "/imports/new", status: int = 200, **fields: str) -> Page:
    """Choose a file in the form, and send it with all fields of the form as a browser does."""
    form = read(console, "/imports/new").forms["/imports/new"]
    given: dict[str, Any] = {name: value for name, value in {**form, **fields}.items() if name != "file"}
    answer = console.post(address, data=given, files={"file": (path.name, path.read_bytes(), "text/csv")})
    assert status == answer.status_code, answer.text
    return Page(answer)


def stored(context: Context) -> list[ImportReport]:
    """Return all imports."""
    return report_imports(context, ImportFilters(), limit=10)[0]


@pytest.mark.usefixtures("worker")
def test_a_file_is_imported_and_ends_on_its_page(console: httpx.Client, context: Context, make_csv: MakeCsv) -> None:
    """With what the form says; fields left empty say nothing."""
    page = upload(console, make_csv({}, BAD), source="wamatek", publish="hold", observed_at="2026-07-01")

    assert "State staged" in page.text
    assert ["2", "price", "call us", "price must be a number"] in page.rows
    (report,) = stored(context)
    assert ("wamatek", Status.STAGED, 1, 1) == (report.source, report.status, report.count, report.rejected)
    assert report.observed_at is not None
    assert "2026-07-01T00:00:00+00:00" == report.observed_at.isoformat()


def test_a_check_shows_columns_and_issues_and_stores_nothing(
    console: httpx.Client, context: Context, make_csv: MakeCsv
) -> None:
    """Then the form stands there again."""
    page = upload(console, make_csv({"colour": "red"}, {**BAD, "colour": ""}), "/imports/new/check")

    assert "Of 2 records, 1 row would be stored and 1 rejected" in page.text
    assert ["price", "price"] in page.rows
    assert ["colour", "ignored"] in page.rows
    assert ["2", "price", "call us", "price must be a number"] in page.rows
    assert "/imports/new" in page.forms
    assert [] == stored(context)
    assert "Import a file" in read(console, "/imports/new/check").text


def test_a_check_of_what_cannot_be_imported_says_why(
    console: httpx.Client, context: Context, make_csv: MakeCsv
) -> None:
    """A batch without a valid record is no failure of the check."""
    page = upload(console, make_csv(BAD), "/imports/new/check")

    assert "It could not be imported" in page.text
    assert [] == stored(context)


@pytest.mark.usefixtures("worker")
def test_a_corrected_file_is_an_amendment(
    console: httpx.Client, context: Context, import_file: Callable[..., ImportReport], make_csv: MakeCsv
) -> None:
    """The page of the batch leads to a form that knows what it corrects."""
    batch = import_file(make_csv({}, BAD), source="wamatek")
    link = read(console, f"/imports/{batch.import_id}").links["Import the corrected file"]
    form = read(console, link).forms["/imports/new"]
    assert (batch.import_id, "wamatek") == (form["parent_import_id"], form["source"])

    upload(console, make_csv({"price": "9.00"}), parent_import_id=batch.import_id, source="wamatek")
    amendment = stored(context)[0]
    assert (Kind.AMENDMENT, batch.import_id) == (amendment.kind, amendment.parent_import_id)


@pytest.mark.parametrize("address", ["/imports/new", "/imports/new/check"])
def test_a_file_of_another_site_is_refused(
    console: httpx.Client, context: Context, make_csv: MakeCsv, address: str
) -> None:
    """Without the browser's own token nothing is stored."""
    upload(console, make_csv({}), address, 403, form_token="a" * 43)
    assert [] == stored(context)


@pytest.mark.parametrize("address", ["/imports/new", "/imports/new/check"])
def test_a_wrong_value_is_a_page(console: httpx.Client, context: Context, make_csv: MakeCsv, address: str) -> None:
    """And nothing is stored."""
    page = upload(console, make_csv({}), address, 422, max_reject_rate="lots")

    assert "max_reject_rate" in page.text
    assert [] == stored(context)


@pytest.mark.usefixtures("worker")
def test_the_same_file_again_is_noticed(console: httpx.Client, context: Context, make_csv: MakeCsv) -> None:
    """By the check before, and on the page after."""
    upload(console, make_csv({}), source="wamatek")
    first = stored(context)[0]

    assert first.import_id in upload(console, make_csv({}), "/imports/new/check", source="wamatek").links
    assert f"Same bytes as {first.import_id}" in upload(console, make_csv({}), source="wamatek").text
