"""The story of an operator: a crawl comes in, is judged, mended, taken back and put back; with scripts and without."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser import walking
from tools.furnished_console import crawl

SOURCE = "halbry"


def _crawl(folder: Path, name: str, factor: float) -> Path:
    path = folder / name
    path.write_text(crawl(factor), encoding="utf-8")
    return path


def _main(page: Page) -> str:
    return page.locator("main").inner_text()


def _is_told(page: Page, *sentences: str) -> None:
    for sentence in sentences:
        expect(page.locator("main")).to_contain_text(sentence)


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
def test_see_a_crawl_judge_it_fix_it_take_it_back(
    empty_server: str, open_page: Callable[..., Page], tmp_path: Path, scripts: bool
) -> None:
    """From the first start to the report, by what the pages say and offer."""
    page = open_page(java_script_enabled=scripts)
    page.goto("/")
    _is_told(page, "Nothing is imported yet")
    page.get_by_role("link", name="Import a file").last.click()
    expect(page).to_have_url(re.compile("/imports/new$"))

    first = _bring_in(page, _crawl(tmp_path, "monday.csv", 1.1), drop=scripts)
    _is_told(page, "published", "not_a_number", "Contact for Quote", "unknown_model")
    amendment = _correct(page, first, tmp_path)
    second = walking.import_file(page, _crawl(tmp_path, "tuesday.csv", 1.0), SOURCE)
    _compare(page, second)
    _take_back_and_put_back(page, first, second)
    _follow_a_price(page, second)
    _look_it_up(page, {first, second, amendment})


def _bring_in(page: Page, crawl: Path, drop: bool) -> str:
    """Look at what would come of a file, refuse it, and bring it again."""
    walking.check_file(page, crawl, SOURCE)
    _is_told(page, "Nothing is imported yet", "8 rows would be stored and 2 rejected", "How each column is read")
    page.get_by_role("button", name="Do not import").click()
    expect(page).to_have_url(re.compile("/imports/new$"))
    if not drop:
        return walking.import_file(page, crawl, SOURCE)
    walking.drop_file(page, crawl)
    _is_told(page, crawl.name)
    walking.send(page, SOURCE)
    return walking.confirm(page)


def _correct(page: Page, first: str, folder: Path) -> str:
    fixed = walking.download(page, "Download to fix", folder)
    fixed.write_text(fixed.read_text(encoding="utf-8").replace("Contact for Quote", "4100"), encoding="utf-8")
    amendment = walking.correct_file(page, first, fixed)
    _is_told(page, "amendment", "unknown_model")
    assert "not_a_number" not in _main(page)
    return amendment


def _compare(page: Page, second: str) -> None:
    page.goto(f"/imports/{second}")
    page.get_by_role("link", name="What changed").first.click()
    expect(page).to_have_url(re.compile("/diff"))
    _is_told(page, "price down", "H100_PCIE_80GB", "-9.09 %")


def _take_back_and_put_back(page: Page, first: str, second: str) -> None:
    walking.roll_back(page, second, "The seller's prices were wrong")
    _is_told(
        page, "The import is rolled back.", "Hidden from every read: 8 rows.", first, "The seller's prices were wrong"
    )
    page.reload()
    expect(page.get_by_text("Hidden from every read")).to_have_count(0)  # told once; the audit trail keeps it
    walking.restore(page, second, "They were right")
    _is_told(page, "The import is restored.", "They were right", second)


def _follow_a_price(page: Page, second: str) -> None:
    page.get_by_role("link", name="Market", exact=True).click()
    page.get_by_role("link", name="H100_PCIE_80GB").first.click()
    _is_told(page, "$26,990.00")
    expect(page.locator("svg").first).to_be_visible()
    expect(page.get_by_role("heading", name="Best value")).to_be_visible()
    page.get_by_role("link", name="All of them").click()
    page.locator(f"main table a[href='/listings/{second}/1']").click()
    _is_told(page, "tuesday.csv", "28450.00", "$31,295.00")


def _look_it_up(page: Page, imports: set[str]) -> None:
    page.get_by_role("link", name="Imports", exact=True).first.click()
    for import_id in imports:
        expect(page.locator(f"main a[href='/imports/{import_id}']").first).to_be_visible()
    page.get_by_role("link", name="Report", exact=True).click()
    page.get_by_role("button", name="Report").click()
    expect(page.locator("main")).to_contain_text("H100_PCIE_80GB")
