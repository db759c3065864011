"""Pages of which a part takes long to make: they come without it, and a browser fetches the whole page by itself.

Without JavaScript a link leads there.
"""

from fastapi import Request

from glyphd.console.queries import WHOLE, address_with

ROWS = 50_000
"""So many rows are compared, or read from a file, within 100 ms."""


def coming(request: Request, rows: int) -> str | None:
    """Return the address of the whole page, given how many rows it reads; None when it is made at once."""
    if rows <= ROWS or WHOLE in request.query_params:
        return None
    return address_with(request, **{WHOLE: "yes"})
