"""What a person does in the console, one function a step: the only place that knows how the forms are used."""

import re
from pathlib import Path

from playwright.sync_api import Page, expect

CHECK_PAGE = re.compile(r"/imports/new/[^/?]+$")
IMPORT_PAGE = re.compile(r"/imports/[0-9a-f]{8}-[0-9a-f-]{27}$")


def import_file(page: Page, path: Path, source: str | None = None) -> str:
    """Choose a file in the form, check it, import it, and wait on its page until it is done; return its import_id."""
    check_file(page, path, source)
    return confirm(page)


def check_file(page: Page, path: Path, source: str | None = None) -> None:
    """Choose a file in the form and have it checked: the page shows what would come of it."""
    page.goto("/imports/new")
    page.get_by_label("Choose files").set_input_files(path)
    send(page, source)


def drop_file(page: Page, path: Path) -> None:
    """Drag a file from elsewhere onto the form and let it go."""
    page.goto("/imports/new")
    box = page.get_by_label("Choose files").bounding_box()
    assert box
    place = {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2}
    dragged = {"items": [], "files": [str(path)], "dragOperationsMask": 1}
    tools = page.context.new_cdp_session(page)
    for step in ("dragEnter", "dragOver", "drop"):
        tools.send("Input.dispatchDragEvent", {"type": step, **place, "data": dragged})
    tools.detach()


def send(page: Page, source: str | None = None) -> None:
    """Send the form with the file that is chosen, and wait for what would come of it."""
    if source:
        page.get_by_label("Source").fill(source)
    page.get_by_role("button", name="Check", exact=True).click()
    expect(page).to_have_url(CHECK_PAGE)


def confirm(page: Page) -> str:
    """Import what was checked, and wait on its page until it is done; return its import_id."""
    page.get_by_role("button", name="Import", exact=True).click()
    expect(page).to_have_url(IMPORT_PAGE)
    return wait_until_done(page)


def correct_file(page: Page, import_id: str, path: Path) -> str:
    """Import a corrected file of what was rejected, from the page of the import; return the amendment's import_id."""
    page.goto(f"/imports/{import_id}")
    page.get_by_label("The corrected file").set_input_files(path)
    page.get_by_role("button", name="Check the correction").click()
    expect(page).to_have_url(CHECK_PAGE)
    return confirm(page)


def wait_until_done(page: Page) -> str:
    """Reload the page of an import, as a person does without scripts, until it is finished; return its import_id."""
    state = page.locator("main .state").first
    for _ in range(60):
        if state.inner_text() not in {"received", "running"}:
            break
        page.wait_for_timeout(250)
        page.reload()
    expect(state).not_to_have_text(re.compile("received|running"))
    return page.url.rpartition("/")[2]


def download(page: Page, link: str, folder: Path) -> Path:
    """Follow a link to a file and keep it."""
    with page.expect_download() as awaited:
        page.get_by_role("link", name=link).first.click()
    path = folder / awaited.value.suggested_filename
    awaited.value.save_as(path)
    return path


def roll_back(page: Page, import_id: str, reason: str) -> None:
    """Take an import back, from its page, and say why."""
    page.goto(f"/imports/{import_id}")
    page.get_by_role("link", name="Roll back").click()
    page.get_by_label("Reason").fill(reason)
    page.get_by_role("button", name="Roll back").click()
    expect(page).to_have_url(IMPORT_PAGE)


def restore(page: Page, import_id: str, reason: str) -> None:
    """Put a rolled-back import back, from its page."""
    page.goto(f"/imports/{import_id}")
    form = page.locator("form").filter(has=page.get_by_role("button", name="Restore"))
    form.get_by_label("Reason").fill(reason)
    form.get_by_role("button", name="Restore").click()
    expect(page).to_have_url(IMPORT_PAGE)
