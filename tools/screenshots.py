"""Take pictures of every page of the console: light, dark, and on a phone (`make screenshots`).

In a temporary server, from the real crawl that is shared beside the project, or the sample where it is not. They go
into `docs/screenshots/`, which git ignores but for those that the README shows.
"""

import sys
import tempfile
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser

from tools.browser import chromium, find_chromium
from tools.furnished_console import ROOT, SAMPLE, furnish, pages
from tools.temporary_server import serving

FOLDER = ROOT / "docs" / "screenshots"
REAL = ROOT.parent / "shared" / "data" / "pipeline" / "DERIVED_demo_scored_wide_alias.csv"

LOOKS: dict[str, dict[str, Any]] = {
    "light": {"viewport": {"width": 1280, "height": 800}, "color_scheme": "light"},
    "dark": {"viewport": {"width": 1280, "height": 800}, "color_scheme": "dark"},
    "phone": {"viewport": {"width": 360, "height": 740}, "color_scheme": "light"},
}

README = {"overview": "light", "import": "light", "model": "dark"}
"""The pictures that the README shows are of what is seen before scrolling."""


def take(browser: Browser, base: str, addresses: dict[str, str]) -> int:
    """Take a picture of each page in each look, and return how many there are."""
    for look, options in LOOKS.items():
        context = browser.new_context(base_url=base, reduced_motion="reduce", **options)
        page = context.new_page()
        for name, address in addresses.items():
            page.goto(address)
            page.screenshot(path=FOLDER / f"{name}-{look}.png", full_page=True)
            if README.get(name) == look:
                page.screenshot(path=FOLDER / f"readme-{name}.png")
        context.close()
    return len(LOOKS) * len(addresses)


def main() -> int:
    """Take them all, and return an exit code."""
    program = find_chromium()
    if program is None:
        print("screenshots: Chromium is not installed (Debian: apt-get install chromium fonts-dejavu-core)")
        return 1
    with tempfile.TemporaryDirectory() as folder, serving(Path(folder)) as base, chromium(program) as browser:
        taken = take(browser, base, {"first-start": "/"})
        addresses = pages(furnish(base, REAL if REAL.exists() else SAMPLE))
        print(f"{taken + take(browser, base, addresses)} pictures in {FOLDER.relative_to(Path.cwd())}/")
    return 0


if __name__ == "__main__":
    sys.exit(main())
