"""A real crawl in a browser: what its page says is what the README of the shared data promises."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser import walking

FindFile = Callable[[str], Path]


@pytest.mark.usefixtures("empty_server")
def test_a_real_crawl_is_dropped_and_followed_to_the_market(
    open_page: Callable[..., Page], pipeline_file: FindFile
) -> None:
    """Its columns have the pipeline's names; 148 of 173 records are stored, and the others say why they are not."""
    page = open_page()
    walking.drop_file(page, pipeline_file("DERIVED_demo_scored_wide_alias.csv"))
    walking.send(page, "demo")
    main = page.locator("main")
    expect(main).to_contain_text("148 rows would be stored and 25 rejected")
    expect(page.get_by_role("row", name="final_score score")).to_be_visible()
    walking.confirm(page)

    expect(main).to_contain_text("published")
    expect(main).to_contain_text("out_of_range")
    page.get_by_role("link", name="Market", exact=True).click()
    expect(page.get_by_role("row").filter(has_text="H100_PCIE_80GB")).to_be_visible()
