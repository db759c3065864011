"""Import files from the browser: they are checked, wait, and are imported once a person says so."""

import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from glyphd.console.uploads import MOST_FILES
from glyphd.domain.imports import ImportFilters, Kind, Status
from glyphd.domain.report import ImportReport
from glyphd.errors import GlyphdError, NoSpaceLeft
from glyphd.services import confirming
from glyphd.services.context import Context
from glyphd.services.reporting import report_imports
from glyphd.settings import Settings
from tests.integration.console.reading import Page, read, slowed
from tests.serving import serving, working

MakeCsv = Callable[..., Path]
BAD = {"price": "call us"}


@pytest.fixture
def worker(context: Context) -> Iterator[None]:
    """A worker beside the server."""
    with working(context):
        yield


def check(console: httpx.Client, *paths: Path, status: int = 200, **fields: str) -> Page:
    """Choose files in the form, and send it with all fields of the form as a browser does."""
    form = read(console, "/imports/new").forms["/imports/new"]
    given: dict[str, Any] = {name: value for name, value in {**form, **fields}.items() if name != "file"}
    files = [("file", (path.name, path.read_bytes(), "text/csv")) for path in paths]
    answer = console.post("/imports/new", data=given, files=files)
    assert status == answer.status_code, answer.text
    return Page(answer)


def choose(console: httpx.Client, page: Page, name: str, status: int = 200) -> Page:
    """Press the button of one of the page's forms, `import` or `drop`."""
    action = next(action for action in page.forms if action.endswith(f"/{name}"))
    answer = console.post(action, data=page.forms[action])
    assert status == answer.status_code, answer.text
    return Page(answer)


def stored(context: Context) -> list[ImportReport]:
    """Return all imports."""
    return report_imports(context, ImportFilters(), limit=50)[0]


def waiting(context: Context) -> list[Path]:
    """Return the folders of uploads that wait."""
    return [*(context.artifacts.location / "scratch").glob("waiting-*")]


@pytest.mark.usefixtures("worker")
def test_a_file_is_imported_and_ends_on_its_page(console: httpx.Client, context: Context, make_csv: MakeCsv) -> None:
    """With what the form says; fields left empty say nothing. Its bytes wait no more."""
    checked = check(console, make_csv({}, BAD), source="wamatek", publish="hold", observed_at="2026-07-01")
    assert "Source wamatek Observed 2026-07-01 Once it is read it is held for a decision" in checked.text
    assert [] == stored(context)
    page = choose(console, checked, "import")

    assert "State staged" in page.text
    assert ["2", "price", "call us", "price must be a number"] in page.rows
    (report,) = stored(context)
    assert ("wamatek", Status.STAGED, 1, 1) == (report.source, report.status, report.count, report.rejected)
    assert report.observed_at is not None
    assert "2026-07-01T00:00:00+00:00" == report.observed_at.isoformat()
    assert ["batch.csv"] == [artifact.filename for artifact in report.artifacts]
    assert [["note.json"]] == [[each.name for each in folder.iterdir()] for folder in waiting(context)]


def test_a_check_shows_columns_and_issues_and_imports_nothing(
    console: httpx.Client, context: Context, make_csv: MakeCsv
) -> None:
    """The page asks, at an address of its own, which can be opened again."""
    page = check(console, make_csv({"colour": "red"}, {**BAD, "colour": ""}))

    assert "Nothing is imported yet" in page.text
    assert "Of 2 records, 1 row would be stored and 1 rejected" in page.text
    assert ["price", "price"] in page.rows
    assert ["colour", "ignored"] in page.rows
    assert ["2", "price", "call us", "price must be a number"] in page.rows
    assert [] == stored(context)
    (action,) = [action for action in page.forms if action.endswith("/import")]
    assert page.rows == read(console, action.removesuffix("/import")).rows


def test_what_is_not_wanted_is_forgotten(console: httpx.Client, context: Context, make_csv: MakeCsv) -> None:
    """At once; its page says so from then on."""
    page = check(console, make_csv({}))
    assert 1 == len(waiting(context))

    assert "Import a file" in choose(console, page, "drop").text
    assert [] == waiting(context)
    assert [] == stored(context)
    assert "choose them again" in choose(console, page, "import", 404).text
    choose(console, page, "drop", 404)
    for address in ("/imports/new/..", "/imports/new/nothing", f"/imports/new/{'0' * 32}"):
        assert console.get(address).status_code in {200, 404}
    assert "What to do:" in read(console, f"/imports/new/{'0' * 32}", 404).text


def test_what_cannot_be_imported_says_why(
    console: httpx.Client, context: Context, make_csv: MakeCsv, tmp_path: Path
) -> None:
    """A batch without a valid record, and a file of no format: there is no button to import them."""
    (picture := tmp_path / "picture.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(64))
    for path in (make_csv(BAD), picture):
        page = check(console, path)
        assert "It cannot be imported" in page.text
        (drop,) = page.forms
        send = console.post(drop.replace("/drop", "/import"), data=page.forms[drop])
        assert 422 == send.status_code
    assert [] == stored(context)


@pytest.mark.usefixtures("worker")
def test_several_files_become_an_import_each(console: httpx.Client, context: Context, make_csv: MakeCsv) -> None:
    """Those that cannot be imported are left out; it ends on a list of the others, which leaves out what was before."""
    paths = [make_csv({"price": f"{number}.00"}, name=f"{number}.csv") for number in (1, 2)]
    choose(console, check(console, make_csv({"price": "9.00"}), source="wamatek"), "import")
    page = check(console, *paths, make_csv(BAD), source="wamatek")
    assert "2 of 3 files can be imported" in page.text
    assert "Import 2 files" in page.text

    listed = choose(console, page, "import")
    assert {report.import_id for report in stored(context)[:2]} == {row[0] for row in listed.rows[1:]}
    assert ["1.csv", "2.csv"] == [report.artifacts[0].filename for report in stored(context)[1::-1]]
    again = choose(console, page, "import")
    assert [row[0] for row in listed.rows] == [row[0] for row in again.rows]


@pytest.mark.usefixtures("worker")
def test_a_second_click_imports_nothing_twice(
    console: httpx.Client, context: Context, make_csv: MakeCsv, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether it comes while the first one is at work, or later; both end on the import's page."""
    monkeypatch.setattr(confirming, "store_file", slowed(confirming.store_file))
    page = check(console, make_csv({}))
    cookies = dict(console.cookies)

    def click(_: int) -> str:
        with httpx.Client(base_url=console.base_url, cookies=cookies, follow_redirects=True, timeout=60) as browser:
            return choose(browser, page, "import").text

    with ThreadPoolExecutor(4) as clicks:
        texts = [*clicks.map(click, range(4)), choose(console, page, "import").text]
    (report,) = stored(context)
    assert [True] * 5 == [f"Import {report.import_id}" in text for text in texts]


def test_a_server_that_dies_on_the_way_imports_nothing_twice(
    console: httpx.Client, context: Context, make_csv: MakeCsv, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first of two files is in; the second has no space. Asked again, only the second one is imported."""
    page = check(console, *(make_csv({"price": price}, name=f"{price}.csv") for price in ("1.00", "2.00")))
    receive, calls = confirming.receive_import, iter((None, NoSpaceLeft()))

    def receive_once(*arguments: Any, **named: Any) -> str:
        if failure := next(calls, None):
            raise failure
        return receive(*arguments, **named)

    monkeypatch.setattr(confirming, "receive_import", receive_once)
    choose(console, page, "import", 507)
    assert 1 == len(stored(context))
    choose(console, page, "import")
    assert 2 == len(stored(context))


def test_another_process_imports_what_one_received(
    console: httpx.Client, context: Context, make_settings: Callable[..., Settings], make_csv: MakeCsv
) -> None:
    """Nothing of an upload is in the memory of a server."""
    page = check(console, make_csv({}))
    with serving(make_settings(), context) as other:
        other.cookies.update(console.cookies)
        other.follow_redirects = True
        choose(other, page, "import")
    assert 1 == len(stored(context))


@pytest.mark.usefixtures("worker")
def test_a_correction_is_sent_from_the_page_of_its_batch(
    console: httpx.Client, context: Context, import_file: Callable[..., ImportReport], make_csv: MakeCsv
) -> None:
    """In place: the form knows what it corrects."""
    batch = import_file(make_csv({}, BAD), source="wamatek")
    page = read(console, f"/imports/{batch.import_id}")
    form = page.forms["/imports/new"]
    assert "Check the correction" in page.text
    given = {name: value for name, value in form.items() if name != "file"}
    sent = console.post("/imports/new", data=given, files={"file": make_csv({"price": "9.00"}).read_bytes()})

    assert f"Corrects what was rejected of batch {batch.import_id}" in Page(sent).text
    assert "This is" not in choose(console, Page(sent), "import").text
    amendment = stored(context)[0]
    assert (Kind.AMENDMENT, batch.import_id) == (amendment.kind, amendment.parent_import_id)


def test_a_form_of_another_site_is_refused(console: httpx.Client, context: Context, make_csv: MakeCsv) -> None:
    """Without the browser's own token nothing waits, nothing is imported, and nothing is forgotten."""
    check(console, make_csv({}), status=403, form_token="a" * 43)
    assert [] == waiting(context)

    page = check(console, make_csv({}))
    for action, form in page.forms.items():
        form["form_token"] = "a" * 43
        assert 403 == console.post(action, data=form).status_code
    assert [] == stored(context)
    assert 1 == len(waiting(context))


@pytest.mark.parametrize(
    ("fields", "status", "said"),
    [
        ({"max_reject_rate": "lots"}, 422, "max_reject_rate"),
        ({"parent_import_id": "0" * 32}, 422, "There is no import"),
        ({"colour": "red"}, 422, "&#39;colour&#39; is not a part of an import"),
    ],
)
def test_a_wrong_value_is_a_page(
    console: httpx.Client, context: Context, make_csv: MakeCsv, fields: dict[str, str], status: int, said: str
) -> None:
    """And nothing waits."""
    assert said in check(console, make_csv({}), status=status, **fields).source
    assert [] == waiting(context)


def test_a_form_without_a_file_is_a_page(console: httpx.Client, context: Context, make_csv: MakeCsv) -> None:
    """Browsers send a nameless part of nothing for it. Too many files are refused as well."""
    form = read(console, "/imports/new").forms["/imports/new"]
    given = {"form_token": form["form_token"]}
    nothing = console.post("/imports/new", data=given, files={"file": ("", b"", "application/octet-stream")})
    assert 422 == nothing.status_code
    assert "No file was chosen" in nothing.text

    check(console, *[make_csv({})] * (MOST_FILES + 1), status=422)
    assert [] == waiting(context)


def test_limits_hold_as_for_every_upload(
    make_settings: Callable[..., Settings], make_context: Callable[..., Context], make_csv: MakeCsv
) -> None:
    """A body that is too large, and a queue that is full, before anything is read and when it is confirmed."""
    context = make_context(max_queue=1)
    with serving(make_settings(max_body_bytes=2_000), context) as console:
        console.follow_redirects = True
        console.headers["Accept"] = "text/html"
        check(console, make_csv(*[{}] * 100), status=413)
        first, second = check(console, make_csv({})), check(console, make_csv({"price": "2.00"}))
        choose(console, first, "import")
        assert "imports are waiting" in choose(console, second, "import", 429).text
        check(console, make_csv({}), status=429)
    assert 2 == len(waiting(context))


def test_files_that_nobody_confirms_go_after_a_day(console: httpx.Client, context: Context, make_csv: MakeCsv) -> None:
    """When the next ones come, or a worker starts; those of today stay."""
    check(console, make_csv({}))
    (old,) = waiting(context)
    yesterday = time.time() - 25 * 3600
    os.utime(old, (yesterday, yesterday))
    check(console, make_csv({}))

    assert old not in waiting(context)
    assert 1 == len(waiting(context))


@pytest.mark.usefixtures("worker")
def test_the_same_file_again_is_noticed(console: httpx.Client, context: Context, make_csv: MakeCsv) -> None:
    """By the check before, and on the page after."""
    choose(console, check(console, make_csv({}), source="wamatek"), "import")
    first = stored(context)[0]
    page = check(console, make_csv({}), source="wamatek")

    assert first.import_id in page.links
    assert f"Same bytes as {first.import_id}" in choose(console, page, "import").text


def test_what_fails_while_it_is_checked_leaves_nothing(
    console: httpx.Client, context: Context, make_csv: MakeCsv, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The files go with the answer."""

    def fail(*_: Any) -> None:
        raise GlyphdError("broken on purpose")

    monkeypatch.setattr("glyphd.console.uploads.report_validation", fail)
    check(console, make_csv({}), status=500)
    assert [] == waiting(context)
