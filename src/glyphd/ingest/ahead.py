"""Reading goes on while what was read before is being written."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")

_END = object()


def read_ahead(items: Iterator[T]) -> Iterator[T]:
    """Yield the items of an iterator, the next one being made in a thread meanwhile.

    Reading and validating leave the GIL to numpy, pyarrow and polars, inserting leaves it to SQLite: measured for 1M
    rows on 2 cores, 9.3-11.0 s against 12.3-13.6 s one after the other. What the iterator raises is raised here.
    """
    with ThreadPoolExecutor(1, "read-ahead") as thread:
        coming = thread.submit(next, items, _END)
        while (item := coming.result()) is not _END:
            coming = thread.submit(next, items, _END)
            yield item  # type: ignore[misc] # everything but the mark of the end is an item
