"""The documentation of the API in a browser that reaches nothing but this server."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect


@pytest.mark.usefixtures("empty_server")
def test_every_call_can_be_read(open_page: Callable[..., Page]) -> None:
    """As the footer leads there; no request leaves the origin."""
    page = open_page()
    page.goto("/")
    page.get_by_role("link", name="HTTP API").click()
    expect(page.locator("[data-path='/api/import']").first).to_be_visible()
