"""Read pages as a person does: by their texts, tables, links and forms."""

import time
from collections.abc import Callable
from html.parser import HTMLParser
from typing import Any, TypeVar

import httpx

T = TypeVar("T")

_VOID = {"meta", "link", "input", "br"}


class Page(HTMLParser):
    """What is on a page. ``cells`` are the rows of its tables, ``forms`` the fields of each form by where it goes."""

    def __init__(self, answer: httpx.Response) -> None:
        """Read an answer; elements that are not closed in order are a failure."""
        super().__init__()
        self.status, self.source = answer.status_code, answer.text
        self.cells: list[list[str]] = []
        self.links: dict[str, str] = {}
        self.forms: dict[str, dict[str, str]] = {}
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self._open: list[str] = []
        self._action = ""
        self._link: str | None = None
        self.feed(answer.text)
        self.close()
        assert [] == self._open
        self.text = " ".join(" ".join(self.words).split())
        self.rows = [[" ".join(cell.split()) for cell in row] for row in self.cells]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element."""
        given = dict(attrs)
        self.elements.append((tag, given))
        if tag not in _VOID:
            self._open.append(tag)
        if tag == "tr":
            self.cells.append([])
        elif tag in {"td", "th"}:
            self.cells[-1].append("")
        elif tag == "a":
            self._link = given.get("href")
        elif tag == "form":
            self._action = given.get("action") or ""
            self.forms[self._action] = {}
        elif tag == "input" and self._action:
            self.forms[self._action][given["name"] or ""] = given.get("value") or ""

    def handle_endtag(self, tag: str) -> None:
        """Close the element that was opened last."""
        assert tag == self._open.pop(), (tag, self.getpos())
        if tag == "a":
            self._link = None
        elif tag == "form":
            self._action = ""

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element that is closed at once, as those of SVG are."""
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        """Note text, where it stands."""
        self.words.append(data)
        if {"td", "th"} & set(self._open):
            self.cells[-1][-1] += data
        if self._link is not None:
            self.links[data] = self._link


def read(client: httpx.Client, address: str, status: int = 200) -> Page:
    """Open a page, which is answered with this status."""
    answer = client.get(address)
    assert status == answer.status_code, answer.text
    return Page(answer)


def slowed(function: Callable[..., T], seconds: float = 0.3) -> Callable[..., T]:
    """Return what does the same, later: time enough for a second click."""

    def run(*arguments: Any, **named: Any) -> T:
        time.sleep(seconds)
        return function(*arguments, **named)

    return run


def send(client: httpx.Client, page: Page, action: str, status: int = 200, **fields: str) -> Page:
    """Fill in a form of a page, send it, and return the page that the browser ends on."""
    answer = client.post(action, data={**page.forms[action], **fields})
    assert status == answer.status_code, answer.text
    return Page(answer)
