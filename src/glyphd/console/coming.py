"""Pages of which a part takes long to make: they come without it, and a browser fetches the whole page by itself.

Without JavaScript a link leads there.
"""

from fastapi import Request

from glyphd.console.queries import WHOLE, address_with

ROWS = 50_000
BYTES = 2_000_000
"""So many rows are compared, and so many bytes of an artifact read, within 100 ms."""


def is_whole(request: Request) -> bool:
    """Tell whether the page is asked for with all that is on it, however long that takes."""
    return WHOLE in request.query_params


def coming(request: Request, rows: int) -> str | None:
    """Return the address of the whole page, given how many rows it reads; None when it is made at once."""
    return None if rows <= ROWS or is_whole(request) else whole_address(request)


def whole_address(request: Request) -> str:
    """Return the address of the whole page."""
    return address_with(request, **{WHOLE: "yes"})
