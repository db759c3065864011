"""A real server, and a browser that lets nothing pass: no error in the console, no failed or foreign request."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, Response, expect

from tests.browser.wanting import WANTING_BROWSER
from tools.browser import chromium, find_chromium
from tools.furnished_console import Furnished, furnish
from tools.temporary_server import serving

TIMEOUT_MS = 60_000
"""A machine that is busy may need as long for what takes a tenth of a second else."""

LAYOUT_SHIFTS = """
    window.layoutShift = 0;
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) window.layoutShift += entry.value;
    }).observe({ type: "layout-shift", buffered: true });
"""


@dataclass
class Watched:
    """What a page asked for and complained of."""

    base: str
    faults: list[str] = field(default_factory=list)
    answers: list[Response] = field(default_factory=list)
    expected: tuple[str, ...] = ()

    def watch(self, page: Page) -> None:
        """Listen to a page from now on."""
        page.on("console", self._hear)
        page.on("pageerror", lambda error: self.faults.append(f"error: {error}"))
        page.on("request", self._see)
        page.on("requestfailed", self._fail)
        page.on("response", self._keep)

    def unexpected(self) -> list[str]:
        """Return the faults that were not announced in ``expected``."""
        return [fault for fault in self.faults if not any(words in fault for words in self.expected)]

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.faults.append(f"console: {message.text} ({message.location['url']})")

    def _see(self, request: Request) -> None:
        if not request.url.startswith((f"{self.base}/", "blob:", "data:")):
            self.faults.append(f"left the origin: {request.url}")

    def _keep(self, answer: Response) -> None:
        self.answers.append(answer)

    def _fail(self, request: Request) -> None:
        if request.failure != "net::ERR_ABORTED":  # a download, or what was still loading when the page was left
            self.faults.append(f"failed: {request.url} {request.failure}")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium. Of each module anew: while playwright is there, nothing else in this thread may run an event loop."""
    program = find_chromium()
    if program is None and os.environ.get("GLYPHD_TEST_REQUIRE_BROWSER"):
        pytest.fail("Chromium is not installed, and GLYPHD_TEST_REQUIRE_BROWSER is set")
    if program is None:
        pytest.skip(f"{WANTING_BROWSER}: Chromium is not installed")
    expect.set_options(timeout=TIMEOUT_MS)
    with chromium(program) as running:
        yield running


@pytest.fixture
def empty_server(browser: Browser, tmp_path: Path) -> Iterator[str]:
    """The address of a server that has just been started for the first time."""
    with serving(tmp_path) as base:
        yield base


@pytest.fixture(scope="module")
def server(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server that the tests of a module share."""
    with serving(tmp_path_factory.mktemp("server")) as base:
        yield base


@pytest.fixture(scope="module")
def furnished(server: str) -> Furnished:
    """The ids of what is on a server whose pages all have something on them; tests only look."""
    return furnish(server)


@pytest.fixture
def watched(request: pytest.FixtureRequest) -> Iterator[Watched]:
    """What the pages of this test ask for; nothing unexpected may have happened in the end."""
    name = "empty_server" if "empty_server" in request.fixturenames else "server"
    seen = Watched(request.getfixturevalue(name))
    yield seen
    assert [] == seen.unexpected()


@pytest.fixture
def open_page(browser: Browser, watched: Watched) -> Iterator[Callable[..., Page]]:
    """Open a blank page in a browser window of its own, with options of playwright's contexts."""
    contexts = []

    def open_blank(**options: Any) -> Page:
        context = browser.new_context(base_url=watched.base, **options)
        context.set_default_timeout(TIMEOUT_MS)
        context.add_init_script(LAYOUT_SHIFTS)
        contexts.append(context)
        page = context.new_page()
        watched.watch(page)
        return page

    yield open_blank
    for context in contexts:
        context.close()
