"""Collections, page by page: a page is asked for when the one before it has been used up."""

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any, Generic, TypeVar

import httpx
import msgspec

from glyphd.client.connection import Connection, read_as

T = TypeVar("T")

PAGE = 1000
"""Items a page: the most that a server gives."""


class _Page(msgspec.Struct, Generic[T]):
    items: list[T]
    next: str | None


def read_pages(
    server: Connection, path: str, kind: type[T], params: Mapping[str, Any], *, limit: int | None = None
) -> Iterator[T]:
    """Yield the items of a collection that names its next page by a cursor; at most ``limit`` of them."""
    return islice(_items(server, path, kind, {**params, "limit": _size(limit)}), limit)


def _items(server: Connection, path: str, kind: type[T], params: dict[str, Any]) -> Iterator[T]:
    cursor: str | None = ""
    while cursor is not None:
        asked = params | ({"cursor": cursor} if cursor else {})
        page = server.get(path, _Page[kind], asked)  # type: ignore[valid-type] # a type that is made here
        yield from page.items
        cursor = page.next


def read_arrays(
    server: Connection, path: str, kind: type[T], params: Mapping[str, Any], *, limit: int | None = None
) -> Iterator[list[T]]:
    """Yield the pages of a collection that is a bare array, whose next page is in `Link`; ``limit`` items in all."""
    asked: Any = {**params, "limit": _size(limit)}
    left = limit
    while asked is not None and left != 0:
        answer = server.ask("GET", path, params=asked)
        page = read_as(list[kind], answer)[:left]  # type: ignore[valid-type] # a type that is made here
        yield page
        left = None if left is None else left - len(page)
        link = answer.links.get("next")
        asked = httpx.URL(link["url"]).params if link else None


def _size(limit: int | None) -> int:
    return PAGE if limit is None else max(1, min(limit, PAGE))
