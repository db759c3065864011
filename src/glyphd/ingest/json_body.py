"""A JSON request body, taken apart at receipt without decoding its listings.

msgspec checks the syntax of the whole body while it skims it (3 GB/s), and the listings stay raw bytes: the API process
holds no more than the body and its options.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isinf
from mmap import mmap
from typing import Any

import msgspec
import numpy as np

from glyphd.errors import InvalidParameter, MalformedRequest, MissingFile

Body = bytes | bytearray | memoryview | mmap

OPTION_NAMES = frozenset(
    {
        *("source", "source_label", "campaign_id", "metadata", "observed_at", "schema_version", "on_error", "publish"),
        "parent_import_id",
    }
)

LISTINGS = "listings"

_MOST_DIGITS = 1_000
_BOM = b"\xef\xbb\xbf"
_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F][0-9a-fA-F]{2}")
_SPACE_ESCAPE = rb"\\u0020"  # as long as what it replaces; the backslash is doubled for re
_MEMBERS = msgspec.json.Decoder(dict[str, msgspec.Raw])


@dataclass(frozen=True, slots=True)
class JsonBody:
    """What a JSON body holds: something to import, and options.

    Either ``listings`` is the JSON array of the listings as submitted, or ``content`` the text of a file that
    ``filename`` may name. ``options`` are all the other members, decoded.
    """

    listings: msgspec.Raw | None = None
    content: str | None = None
    filename: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def unknown(self) -> list[str]:
        """The members that are no option of an import, sorted."""
        return sorted(set(self.options) - OPTION_NAMES)


def read_json_body(body: Body) -> JsonBody:
    """Take a JSON body apart: an array of listings, an object with `listings`, or an object with `content`.

    Raises MalformedRequest when it is not JSON (RFC 8259; no NaN), names a member twice or cannot be encoded as UTF-8,
    MissingFile when it is JSON and holds nothing to import, InvalidParameter when what it holds has the wrong type.
    """
    text = memoryview(body)
    if text[:3] == _BOM:
        text = text[3:]
    try:
        members = _skim(text)
        if members is None:
            return JsonBody(listings=msgspec.Raw(text))
        return _from_members(text, members)
    except RecursionError as exc:
        raise MalformedRequest("The body is nested too deeply.") from exc


def _skim(text: memoryview) -> dict[str, tuple[int, int]] | None:
    """Check the syntax; return where the members of an object begin and how long they are, or None for an array."""
    try:
        return _places(text)
    except msgspec.DecodeError as exc:
        # msgspec refuses lone surrogates, which are JSON and concern one listing: look again without them
        masked = _SURROGATE.sub(_SPACE_ESCAPE, text)
        if masked == text:
            raise _malformed(exc, len(text)) from exc
    except UnicodeDecodeError as exc:
        raise MalformedRequest(f"The name of a member is not UTF-8: {exc.reason}.") from exc
    try:
        return _places(memoryview(masked))
    except msgspec.DecodeError as exc:
        raise _malformed(exc, len(text)) from exc


def _places(text: memoryview) -> dict[str, tuple[int, int]] | None:
    try:
        members = _MEMBERS.decode(text)
    except msgspec.ValidationError as exc:
        array = msgspec.json.decode(text, type=msgspec.Raw)
        if bytes(memoryview(array)[:1]) != b"[":
            raise MissingFile("The body is neither an array of listings nor an object.") from exc
        return None
    begin = _address(text)
    return {name: (_address(raw) - begin, len(memoryview(raw))) for name, raw in members.items()}


def _address(buffer: memoryview | msgspec.Raw) -> int:
    return int(np.frombuffer(buffer, np.uint8).ctypes.data)


def _malformed(exc: msgspec.DecodeError, size: int) -> MalformedRequest:
    what, _, byte = str(exc).removeprefix("JSON is malformed: ").partition(" (byte ")
    position = int(byte.rstrip(")")) if byte else size
    return MalformedRequest(f"The body is not JSON: {what} at byte {position}.", offset=position)


def _from_members(text: memoryview, members: dict[str, tuple[int, int]]) -> JsonBody:
    listings = None
    rest = bytes(text)
    if LISTINGS in members:
        begin, size = members[LISTINGS]
        listings = text[begin : begin + size]
        rest = bytes(text[:begin]) + b"null" + bytes(text[begin + size :])
    options = _decode(rest)
    del rest
    if listings is not None and bytes(listings[:1]) == b"n":
        listings = None
    content, filename = options.pop("content", None), options.pop("filename", None)
    options.pop(LISTINGS, None)
    if listings is None and content is None:
        raise MissingFile("The object has neither `listings` nor `content`.", found=sorted(members)[:100])
    _check_types(listings, content, filename)
    return JsonBody(None if listings is None else msgspec.Raw(listings), content, filename, options)


def _check_types(listings: memoryview | None, content: object, filename: object) -> None:
    if listings is not None and content is not None:
        raise InvalidParameter("`listings` and `content` exclude each other.", parameter="content")
    if listings is not None and bytes(listings[:1]) != b"[":
        raise InvalidParameter("`listings` must be an array.", parameter=LISTINGS)
    for name, value in (("content", content), ("filename", filename)):
        if value is not None and not isinstance(value, str):
            raise InvalidParameter(f"`{name}` must be text.", parameter=name)


def _decode(text: bytes) -> dict[str, Any]:
    """Decode the members, exactly: nothing that JSON says is lost, and the result can be written as UTF-8 again."""
    try:
        members = json.loads(text, object_pairs_hook=_members, parse_int=_integer, parse_float=_number)
        json.dumps(members, ensure_ascii=False).encode()
    except UnicodeDecodeError as exc:
        raise MalformedRequest(f"The body is not UTF-8 at byte {exc.start}.", offset=exc.start) from exc
    except UnicodeEncodeError as exc:
        raise MalformedRequest("A member holds half a surrogate pair, which no text can hold.") from exc
    return dict(members)


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        names = [name for name, _ in pairs]
        repeated = next(name for name in names if names.count(name) > 1)
        raise MalformedRequest(f"The member `{ascii(repeated)[1:-1]}` is there twice.")
    return members


def _integer(digits: str) -> int:
    if len(digits) > _MOST_DIGITS:
        raise MalformedRequest(f"A number has more than {_MOST_DIGITS} digits.")
    return int(digits)


def _number(digits: str) -> float:
    number = float(digits)
    if isinf(number):
        raise MalformedRequest(f"The number {digits[:40]} is out of range.")
    return number
