"""Signing in with a browser, where the server has an access token."""

from collections.abc import Callable, Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Watched
from tools.temporary_server import serving

TOKEN = "a-token-of-this-test"


@pytest.fixture(scope="module")
def server(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server that only lets in who is signed in."""
    with serving(tmp_path_factory.mktemp("server"), GLYPHD_API_TOKEN=TOKEN, GLYPHD_GUARD_READS="true") as base:
        yield base


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_whoever_has_the_token_gets_in_and_out(open_page: Callable[..., Page], watched: Watched, scheme: str) -> None:
    """A wrong token is refused in words; the right one leads to where one wanted to go; axe finds nothing wrong."""
    watched.expected = ("401", "403")
    page = open_page(color_scheme=scheme)
    page.goto("/imports?status=failed")
    for token in ("wrong", TOKEN):
        _check(page, "Sign in")
        page.get_by_label("Access token").fill(token)
        page.get_by_role("button", name="Sign in").click()
        if token != TOKEN:
            expect(page.get_by_role("alert")).to_contain_text("not the access token")
    expect(page.locator("h1")).to_have_text("Imports")
    assert page.url.endswith("/imports?status=failed")

    page.get_by_role("link", name="Sign out").click()
    _check(page, "Sign out")
    page.get_by_role("button", name="Sign out").click()
    page.goto("/")
    _check(page, "Sign in")


def _check(page: Page, heading: str) -> None:
    expect(page.locator("h1")).to_have_text(heading)
    found = Axe().run(page)
    assert 0 == found.violations_count, found.generate_report()
