"""The browser that opens the console's pages: the system's Chromium, driven by playwright (ADR 0040)."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome-stable")


def find_chromium() -> str | None:
    """Return the program: that of GLYPHD_TEST_CHROMIUM, else one on the path."""
    given = os.environ.get("GLYPHD_TEST_CHROMIUM")
    return given or next((found for name in NAMES if (found := shutil.which(name))), None)


@contextmanager
def chromium(program: str) -> Iterator[Browser]:
    """Run the browser until the block ends; playwright's event loop is gone with it."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program)
        try:
            yield browser
        finally:
            browser.close()
