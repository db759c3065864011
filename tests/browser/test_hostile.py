"""Text of others in a browser: it is shown, and neither runs nor breaks a page."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser import walking
from tests.integration.console.test_hostile_text import BREAKOUT, FORMULA, LONG, SCRIPT, hostile_file

WIDTHS = (360, 1280)


@pytest.fixture
def hostile(tmp_path: Path) -> Path:
    """A file whose texts, headers and name all want something."""
    return hostile_file(tmp_path)


def _look_at(page: Page, address: str) -> str:
    page.goto(address)
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") <= width, address
    assert 0 == page.locator("main script, main img, main b, main a[href^='javascript:']").count()
    return page.locator("body").inner_text()


def _addresses(import_id: str) -> tuple[str, ...]:
    return (
        "/",
        "/imports",
        "/imports/new",
        "/models",
        "/listings",
        "/report",
        f"/imports/{import_id}",
        f"/imports/{import_id}/rejections",
        f"/imports/{import_id}/rollback",
        f"/report?import_id={import_id}",
        *(f"/listings/{import_id}/{index}" for index in range(1, 8)),
    )


def test_text_of_others_does_nothing_in_a_browser(open_page: Callable[..., Page], hostile: Path) -> None:
    """No dialog opens and no script is refused (it is text), nothing runs off the screen, downloads stay downloads."""
    page = open_page()
    dialogs: list[str] = []
    page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    walking.check_file(page, hostile, SCRIPT)
    assert BREAKOUT in _look_at(page, page.url)
    import_id = walking.confirm(page)
    expect(page.locator("main")).to_contain_text(hostile.name)

    told = {address: _look_at(page, address) for address in _addresses(import_id)}
    assert BREAKOUT in told[f"/imports/{import_id}"]
    assert FORMULA in told[f"/listings/{import_id}/6"]
    assert LONG not in told[f"/imports/{import_id}"]
    page.goto("/models")
    page.get_by_role("link", name=SCRIPT).click()
    expect(page.locator("h1")).to_contain_text(SCRIPT)
    walking.roll_back(page, import_id, SCRIPT)
    expect(page.locator("main")).to_contain_text(SCRIPT)
    assert [] == dialogs


def test_what_is_downloaded_is_never_a_page(open_page: Callable[..., Page], hostile: Path) -> None:
    """The artifact and the rejections are attachments, and their type is not guessed."""
    page = open_page()
    api = f"/api/imports/{walking.import_file(page, hostile, SCRIPT)}"
    for address in (f"{api}/artifact", f"{api}/rejections?format=csv"):
        answer = page.request.get(address)
        assert answer.headers["content-disposition"].startswith("attachment"), json.dumps(answer.headers)
        assert "nosniff" == answer.headers["x-content-type-options"]
