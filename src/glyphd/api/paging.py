"""Cursors and `Link` headers: a cursor is opaque, and says where the page before it ended."""

import base64
import binascii
from typing import TypeVar
from urllib.parse import urlencode

import msgspec
from fastapi import Request

from glyphd.errors import InvalidParameter

T = TypeVar("T")


def encode_cursor(position: object) -> str:
    """Return a cursor for a position (a dataclass or a number)."""
    return base64.urlsafe_b64encode(msgspec.json.encode(position)).rstrip(b"=").decode()


def decode_cursor(cursor: str | None, kind: type[T]) -> T | None:
    """Return the position of a cursor. Raises InvalidParameter for one that this server did not make."""
    if cursor is None:
        return None
    try:
        text = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        return msgspec.json.decode(text, type=kind)
    except (binascii.Error, ValueError) as exc:
        raise InvalidParameter("cursor is not one that this server gave out.", parameter="cursor") from exc


def link_to_next(request: Request, cursor: str | None) -> dict[str, str]:
    """Return the `Link` header of a page: the same query, further on. Empty on the last page."""
    if cursor is None:
        return {}
    kept = [(name, value) for name, value in request.query_params.multi_items() if name not in {"cursor", "offset"}]
    return {"Link": f'<{request.url.path}?{urlencode([*kept, ("cursor", cursor)])}>; rel="next"'}
