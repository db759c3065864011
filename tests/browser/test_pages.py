"""What holds for every page: anyone can read it; it is light, fits, stays still, and the keyboard walks it."""

from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.browser.conftest import Watched
from tools.furnished_console import Furnished, pages

EXAMPLE = Furnished("", "", "", "", 9, "")
PAGES = sorted(pages(EXAMPLE))
OWN = [name for name in PAGES if name != "report-alone"]
"""The pages with the console's frame; a market report stands alone."""

WEIGHT_BYTES = 60_000
REQUESTS = 5
WIDTHS = (360, 1280, 3840)

OpenPage = Callable[..., Page]

every_page = pytest.mark.parametrize("name", PAGES)
own_page = pytest.mark.parametrize("name", OWN)


def _go(page: Page, furnished: Furnished, name: str) -> None:
    page.goto(pages(furnished)[name])


@pytest.mark.parametrize("scheme", ["light", "dark"])
@every_page
def test_axe_finds_no_violation(furnished: Furnished, open_page: OpenPage, name: str, scheme: str) -> None:
    """Contrast, names, roles, landmarks, order of headings."""
    page = open_page(color_scheme=scheme)
    _go(page, furnished, name)
    found = Axe().run(page)
    assert 0 == found.violations_count, found.generate_report()


@every_page
def test_a_page_is_light_and_stays_still(
    furnished: Furnished, open_page: OpenPage, watched: Watched, name: str
) -> None:
    """With an empty cache: bytes as sent, without what its charts show; and nothing jumps while it loads."""
    page = open_page()
    _go(page, furnished, name)
    drawn = page.evaluate("[...document.querySelectorAll('svg')].reduce((sum, each) => sum + each.outerHTML.length, 0)")

    assert len(watched.answers) <= REQUESTS
    assert sum(len(answer.body()) for answer in watched.answers) - drawn <= WEIGHT_BYTES
    assert page.evaluate("window.layoutShift") < 0.01


@every_page
def test_nothing_runs_off_the_screen(furnished: Furnished, open_page: OpenPage, name: str) -> None:
    """From a phone to 4K: what is wider than the screen scrolls in its own box, and the page does not."""
    page = open_page()
    _go(page, furnished, name)
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") <= width


@own_page
def test_the_keyboard_reaches_everything(furnished: Furnished, open_page: OpenPage, name: str) -> None:
    """The way to the content first; then each link, field and button, and it is seen where one is."""
    page = open_page()
    _go(page, furnished, name)
    page.keyboard.press("Tab")
    assert "Skip to the content" == page.evaluate("document.activeElement.textContent")
    assert page.locator(".skip").bounding_box()["x"] >= 0

    wanted = page.evaluate(
        "[...document.querySelectorAll('a[href], input:not([type=hidden]), select, button, [tabindex=\"0\"]')]"
        ".filter(each => each.checkVisibility() && !each.disabled).length"
    )
    reached = {0}
    for _ in range(wanted + 20):
        page.keyboard.press("Tab")
        place, outline = page.evaluate(
            "[[...document.querySelectorAll('*')].indexOf(document.activeElement),"
            " getComputedStyle(document.activeElement).outlineStyle]"
        )
        if place in reached or page.evaluate("document.activeElement === document.body"):
            break
        assert "none" != outline, page.evaluate("document.activeElement.outerHTML")
        reached.add(place)
    assert wanted <= len(reached)


@own_page
def test_a_page_says_where_one_is_and_prints(furnished: Furnished, open_page: OpenPage, name: str) -> None:
    """Its title and its one heading are of it, each table has a caption; on paper there is nothing to click."""
    page = open_page()
    _go(page, furnished, name)
    assert page.title().startswith(page.locator("h1").inner_text())
    assert 1 == page.locator("h1").count()
    assert page.locator("table").count() == page.locator("table > caption").count()

    page.emulate_media(media="print")
    assert not any(each.is_visible() for each in page.locator("nav, form, footer").all())
    assert page.locator("h1").is_visible()


@pytest.mark.usefixtures("furnished")
def test_back_leads_back_after_a_filter(open_page: OpenPage) -> None:
    """The address holds the filter; Back takes it away again, Forward puts it back, as far as the field shows."""
    page = open_page()
    page.goto("/imports")
    rows = page.locator("main table tbody tr")
    every = rows.count()
    page.get_by_label("State").select_option("rolled_back")
    page.get_by_role("button", name="Filter").click()
    expect(rows).to_have_count(1)
    assert "status=rolled_back" in page.url

    page.go_back()
    expect(rows).to_have_count(every)
    page.go_forward()
    expect(rows).to_have_count(1)
    expect(page.get_by_label("State")).to_have_value("rolled_back")


@pytest.mark.usefixtures("furnished")
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_failure_is_a_page_too(open_page: OpenPage, watched: Watched, scheme: str) -> None:
    """It says what to do, and axe finds nothing."""
    watched.expected = ("404",)
    page = open_page(color_scheme=scheme)
    page.goto("/imports/00000000-0000-7000-8000-000000000000")
    expect(page.get_by_role("alert")).to_contain_text("What to do")
    found = Axe().run(page)
    assert 0 == found.violations_count, found.generate_report()
