"""Cursors and `Link` headers: a cursor is opaque, and says where the page before it ended."""

import base64
import binascii
from typing import Annotated, Any
from urllib.parse import urlencode

import msgspec
from fastapi import Request
from msgspec import Meta

from glyphd.domain.imports import ImportPlace
from glyphd.errors import InvalidParameter
from glyphd.services.browsing import Position
from glyphd.services.following import MovePlace
from glyphd.services.periods import Place

_Number = Annotated[int, Meta(ge=-(2**62), le=2**62)]  # what both engines compare with an id
_Key = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]
_Instant = Annotated[int, Meta(ge=-62_135_596_800_000_000, le=253_402_300_799_999_999)]  # the years 1 to 9999
_Name = Annotated[str, Meta(pattern=r"^[^\x00]*$")]


def encode_cursor(*position: int | str) -> str:
    """Return a cursor for a position."""
    return base64.urlsafe_b64encode(msgspec.json.encode(position)).rstrip(b"=").decode()


def number_of(cursor: str | None) -> int | None:
    """Return the number in a cursor. Raises InvalidParameter."""
    return None if cursor is None else int(_decode(cursor, tuple[_Number])[0])


def import_place_of(cursor: str | None) -> ImportPlace | None:
    """Return the place among the imports in a cursor. Raises InvalidParameter."""
    return None if cursor is None else ImportPlace(*_decode(cursor, tuple[_Number, _Instant]))


def name_of(cursor: str | None) -> str | None:
    """Return the name in a cursor. Raises InvalidParameter."""
    return None if cursor is None else str(_decode(cursor, tuple[_Name])[0])


def position_of(cursor: str | None) -> Position | None:
    """Return the position among the listings in a cursor. Raises InvalidParameter."""
    return None if cursor is None else Position(*_decode(cursor, tuple[_Number, _Number]))


def place_of(cursor: str | None) -> Place | None:
    """Return the place in time in a cursor. Raises InvalidParameter."""
    return None if cursor is None else Place(*_decode(cursor, tuple[_Number, _Number]))


def move_place_of(cursor: str | None) -> MovePlace | None:
    """Return the place among the moves in a cursor. Raises InvalidParameter."""
    kind = tuple[_Number, _Number, _Name, _Name, _Key, _Number]
    return None if cursor is None else MovePlace(*_decode(cursor, kind))


def _decode(cursor: str, kind: Any) -> tuple[Any, ...]:
    try:
        text = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        position: tuple[Any, ...] = msgspec.json.decode(text, type=kind)
    except (binascii.Error, ValueError) as exc:
        raise InvalidParameter("cursor is not one that this server gave out.", parameter="cursor") from exc
    return position


def link_to_next(request: Request, cursor: str | None) -> dict[str, str]:
    """Return the `Link` header of a page: the same query, further on. Empty on the last page."""
    if cursor is None:
        return {}
    kept = [(name, value) for name, value in request.query_params.multi_items() if name not in {"cursor", "offset"}]
    return {"Link": f'<{request.url.path}?{urlencode([*kept, ("cursor", cursor)])}>; rel="next"'}
