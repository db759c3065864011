"""What is done with an import from its page."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from glyphd.domain.imports import Kind, PublishMode, Status
from glyphd.domain.report import ImportReport
from glyphd.services import replaying
from glyphd.services.context import Context
from glyphd.services.inspecting import inspect_events
from glyphd.services.reporting import report_import
from glyphd.services.running import run_next
from tests.integration.console.reading import Page, read, send, slowed

MakeCsv = Callable[..., Path]
ImportFile = Callable[..., ImportReport]
ACTIONS = ("publish", "discard", "rollback", "restore", "replay")


def act(console: httpx.Client, report: ImportReport, name: str, page: str = "", **fields: str) -> Page:
    """Open the page of an import, and send one of its forms."""
    address = f"/imports/{report.import_id}"
    return send(console, read(console, address + page), f"{address}/{name}", **fields)


@pytest.fixture
def staged(import_file: ImportFile, make_csv: MakeCsv) -> ImportReport:
    """An import of two rows that waits for a decision."""
    return import_file(make_csv({}, {"price": "9.00"}), source="wamatek", publish=PublishMode.HOLD)


@pytest.mark.parametrize(
    ("name", "page_of", "status"),
    [("publish", "", Status.PUBLISHED), ("discard", "/discard", Status.DISCARDED)],
)
def test_a_staged_import_is_decided_on(
    console: httpx.Client, context: Context, staged: ImportReport, name: str, page_of: str, status: Status
) -> None:
    """The page says what was done, and the trail who did it, and why."""
    page = act(console, staged, name, page_of, reason=" looked at it ")

    assert f"The import is {status}" in page.text
    assert status is report_import(context, staged.import_id).status
    last = inspect_events(context, staged.import_id, limit=100)[-1]
    assert ("console", "looked at it") == (last.actor, last.reason)
    assert "looked at it" in page.text


def test_a_discard_says_first_what_it_will_do(console: httpx.Client, context: Context, staged: ImportReport) -> None:
    """How much goes, that it does not come back, and how to have it after all; looking changes nothing."""
    foreseen = read(console, read(console, f"/imports/{staged.import_id}").links["Discard …"])

    assert "Removed for good: 2 rows" in foreseen.text
    assert "It cannot be undone" in foreseen.text
    assert 200 == console.get(foreseen.links["batch.csv"]).status_code
    assert "wamatek" == read(console, foreseen.links["import it again"]).forms["/imports/new"]["source"]
    assert Status.STAGED is report_import(context, staged.import_id).status


def test_what_is_published_is_not_discarded(console: httpx.Client, import_file: ImportFile, make_csv: MakeCsv) -> None:
    """Its page does not lead there; who goes there is told why not."""
    address = f"/imports/{import_file(make_csv({})).import_id}"

    assert "Discard …" not in read(console, address).links
    assert "The import is published" in read(console, f"{address}/discard", 409).text


def test_a_roll_back_says_first_what_it_will_do(
    console: httpx.Client, context: Context, import_file: ImportFile, make_csv: MakeCsv
) -> None:
    """What the page foresees is what the receipt then says; looking changes nothing."""
    earlier = import_file(make_csv({}, {"price": "8.00"}, {"price": "9.00"}), source="wamatek")
    report = import_file(make_csv({}, {"price": "9.50"}), source="wamatek")
    foreseen = read(console, f"/imports/{report.import_id}/rollback")

    assert "Hidden from every read: 2 rows" in foreseen.text
    assert f"The current view of wamatek is then batch {earlier.import_id}" in foreseen.text
    assert "with 3 rows" in foreseen.text
    assert Status.PUBLISHED is report_import(context, report.import_id).status

    done = act(console, report, "rollback", "/rollback", reason="prices in another currency")
    assert "The import is rolled back. Hidden from every read: 2 rows." in done.text
    assert f"The current view of wamatek is batch {earlier.import_id}, version 1, with 3 rows." in done.text
    assert Status.ROLLED_BACK is report_import(context, report.import_id).status


def test_a_rolled_back_import_is_restored(
    console: httpx.Client, context: Context, import_file: ImportFile, make_csv: MakeCsv
) -> None:
    """With the last import of a source goes its current view, and comes back."""
    report = import_file(make_csv({}), source="wamatek")

    assert "wamatek has no current view" in act(console, report, "rollback", "/rollback").text
    page = act(console, report, "restore")
    assert "The import is restored. Shown again: 1 row." in page.text
    assert Status.PUBLISHED is report_import(context, report.import_id).status


def test_a_receipt_is_told_once(console: httpx.Client, import_file: ImportFile, make_csv: MakeCsv) -> None:
    """Loading the page again shows the page; the page of another import never tells it."""
    report = import_file(make_csv({}), source="wamatek")
    act(console, report, "rollback", "/rollback")

    assert "Hidden from every read" not in read(console, f"/imports/{report.import_id}").text


def test_a_replay_ends_on_its_own_page(
    console: httpx.Client, context: Context, import_file: ImportFile, make_csv: MakeCsv
) -> None:
    """It waits there for a worker, and is run as any import."""
    report = import_file(make_csv({}), source="wamatek")
    page = act(console, report, "replay")

    assert f"This is a replay of {report.import_id}" in page.text
    assert run_next(context, "worker")
    found = report_import(context, page.text.split()[1])
    assert (Kind.REPLAY, Status.PUBLISHED) == (found.kind, found.status)


def test_a_replay_that_is_asked_for_twice_is_one(
    console: httpx.Client, import_file: ImportFile, make_csv: MakeCsv, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second click, at once or later, ends on the same page; the page afresh asks for another one."""
    monkeypatch.setattr(replaying, "replay_import", slowed(replaying.replay_import))
    report = import_file(make_csv({}), source="wamatek")
    address = f"/imports/{report.import_id}"
    page, fresh = read(console, address), read(console, address)
    cookies = dict(console.cookies)

    def click(_: int) -> str:
        with httpx.Client(base_url=console.base_url, cookies=cookies, follow_redirects=True, timeout=60) as browser:
            return send(browser, page, f"{address}/replay").text.split()[1]

    with ThreadPoolExecutor(3) as clicks:
        replays = {*clicks.map(click, range(3)), click(3)}
    assert 1 == len(replays)
    assert replays.isdisjoint({send(console, fresh, f"{address}/replay").text.split()[1]})


def test_what_hangs_on_a_batch_that_is_rolled_back_is_not_restored(
    console: httpx.Client, context: Context, import_file: ImportFile, make_csv: MakeCsv
) -> None:
    """Its page offers nothing that would be refused."""
    report = import_file(make_csv({}), source="wamatek")
    replay_id = act(console, report, "replay").text.split()[1]
    run_next(context, "worker")
    replay = report_import(context, replay_id)
    act(console, replay, "rollback", "/rollback")
    restore = f"/imports/{replay_id}/restore"
    assert restore in read(console, f"/imports/{replay_id}").forms

    act(console, report, "rollback", "/rollback")
    assert restore not in read(console, f"/imports/{replay_id}").forms


def test_asking_twice_changes_nothing(
    console: httpx.Client, context: Context, import_file: ImportFile, make_csv: MakeCsv
) -> None:
    """A form that is sent once more, as by the Back button, is no failure."""
    report = import_file(make_csv({}), source="wamatek")
    address = f"/imports/{report.import_id}/rollback"
    form = read(console, address)
    send(console, form, address)
    trail = inspect_events(context, report.import_id, limit=100)

    assert "The import was rolled back already; nothing changed." in send(console, form, address).text
    assert trail == inspect_events(context, report.import_id, limit=100)


@pytest.mark.parametrize("name", ACTIONS)
@pytest.mark.parametrize("cookie", ["", "a" * 43])
def test_a_form_of_another_site_is_refused(
    console: httpx.Client, context: Context, staged: ImportReport, name: str, cookie: str
) -> None:
    """Without the browser's own token nothing is done, whether the browser has a cookie or not."""
    if cookie:
        console.cookies.set("glyphd_form", cookie)
    for fields in ({}, {"form_token": ""}, {"form_token": "b" * 43}, {"form_token": "é"}):
        answer = console.post(f"/imports/{staged.import_id}/{name}", data=fields)
        assert 403 == answer.status_code
        assert "The form is not one that this browser was given" in Page(answer).text
    assert Status.STAGED is report_import(context, staged.import_id).status


def test_the_token_is_random_and_kept_from_scripts(console: httpx.Client, staged: ImportReport) -> None:
    """Each browser gets its own, once; pages from elsewhere cannot have it sent along."""
    address = f"/imports/{staged.import_id}"
    first = console.get(address)
    cookie = first.headers["set-cookie"]
    console.cookies.clear()
    other = console.get(address).headers["set-cookie"]

    assert {"httponly", "samesite=lax", "path=/"} <= {part.strip().lower() for part in cookie.split(";")}
    assert cookie != other
    assert "set-cookie" not in console.get(address).headers


def test_what_is_not_possible_is_said(console: httpx.Client, staged: ImportReport) -> None:
    """A page that is out of date leads to a failure that says what to do, with the problem's status."""
    address = f"/imports/{staged.import_id}"
    page = read(console, address)
    send(console, page, f"{address}/publish")

    refused = console.post(f"{address}/discard", data=page.forms[f"{address}/publish"])
    assert 409 == refused.status_code
    assert "The import is published" in refused.text
    assert "reload the page" in refused.text
    assert 409 == console.get(f"/imports/{act(console, staged, 'replay').text.split()[1]}/rollback").status_code


def test_a_reason_has_its_limits(console: httpx.Client, context: Context, staged: ImportReport) -> None:
    """Too long is invalid; a form that is far too long is not read to its end."""
    address = f"/imports/{staged.import_id}"
    page = read(console, address)

    send(console, page, f"{address}/publish", 422, reason="x" * 1001)
    send(console, page, f"{address}/publish", 413, reason="x" * 20_000)
    assert Status.STAGED is report_import(context, staged.import_id).status
