"""What takes long comes after its page: the browser fetches it, and nothing that is seen moves."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from glyphd.client.client import Client
from glyphd.console.coming import BYTES, ROWS
from tests.browser.conftest import Watched

HEADER = "canonical_model,vram_gb,mig_support,nvlink,tdp_watts,price,score,seller,source_url\n"
RECORD = "L4,24,0,False,72,{price}.00,50.0,Halbry Systems,https://halbry.example/gpu/{number}\n"


@pytest.fixture
def crawls(empty_server: str) -> list[str]:
    """Two crawls that are too many rows, and too large a file, for a page that answers at once; their import_ids."""
    with Client(empty_server) as client:
        found = [client.import_file(_file(price), source="halbry").import_id for price in (2000, 2100)]
        client.import_file((HEADER + RECORD.format(price=1, number=0)).encode(), source="other")
        return found


def _file(price: int) -> bytes:
    records = "".join(RECORD.format(price=price, number=number) for number in range(ROWS + 1))
    assert len(records) > BYTES
    return (HEADER + records).encode()


def _pages(crawls: list[str]) -> dict[str, str]:
    """Return addresses, each with a text of what comes after its page."""
    latest = crawls[-1]
    return {
        f"/imports/{latest}/diff": "+5.00 %",
        f"/listings/{latest}/7": "L4,24,0,False,72,2100.00",
        "/report": "50,002 listings of 1 models",
        "/models": "2,100.00",
    }


def test_a_browser_fetches_it(crawls: list[str], open_page: Callable[..., Page]) -> None:
    """The page is there at once, in its place is nothing that jumps when it comes."""
    page = open_page()
    for address, text in _pages(crawls).items():
        page.goto(address)
        expect(page.locator("main")).to_contain_text(text)
        assert 0 == page.locator("[data-coming]").count()
        assert page.evaluate("window.layoutShift") < 0.01, address
        assert page.url.endswith(address)


def test_a_link_leads_to_it_without_scripts(crawls: list[str], open_page: Callable[..., Page]) -> None:
    """Which says what is missing."""
    page = open_page(java_script_enabled=False)
    for address, text in _pages(crawls).items():
        page.goto(address)
        assert text not in page.locator("main").inner_text()
        page.get_by_role("link", name="Show it").click()
        expect(page.locator("main")).to_contain_text(text)


def test_a_server_that_is_gone_is_said(crawls: list[str], open_page: Callable[..., Page], watched: Watched) -> None:
    """In the place of what would have come."""
    watched.expected = ("net::ERR_FAILED",)
    page = open_page()
    page.route(re.compile("whole=yes"), lambda route: route.abort())
    page.goto(next(iter(_pages(crawls))))
    expect(page.locator("main")).to_contain_text("The server cannot be reached")
