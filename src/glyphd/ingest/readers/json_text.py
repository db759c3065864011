"""A JSON text that is read value by value through a window of bounded size.

The C scanner behind `json.loads` reads one value at a time from a position. Numbers stay text (`1e400`, 400 digits),
bytes that are not UTF-8 become surrogates, so that the text of a value gives its bytes back exactly.
"""

import json
import re
from codecs import BOM_UTF8, getincrementaldecoder
from collections.abc import Callable
from io import BufferedReader
from pathlib import Path
from typing import Any, NoReturn

import msgspec

from glyphd.errors import MalformedJson, RecordTooLarge
from glyphd.ingest.records import Limits

_SPACE = re.compile(r"[ \t\n\r]*")
_ESCAPE = "surrogateescape"


class RepeatedMembers(dict[str, Any]):
    """An object that names a member twice; it holds the last of them."""


class NotJson:
    """A stretch of text that is no JSON value; ``what`` says why and where, as a sentence."""

    def __init__(self, what: str) -> None:
        self.what = what


class _ConstantError(Exception):
    """NaN or an Infinity: `json` reads them, RFC 8259 does not have them."""


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    return members if len(members) == len(pairs) else RepeatedMembers(members)


def _refuse(constant: str) -> NoReturn:
    raise _ConstantError(constant)


_SCAN: Callable[[str, int], tuple[Any, int]] = json.JSONDecoder(
    object_pairs_hook=_members, parse_float=str, parse_int=str, parse_constant=_refuse
).scan_once  # type: ignore[attr-defined]


def as_bytes(text: str) -> bytes:
    """Return the submitted bytes of a stretch of the window."""
    return text.encode("utf-8", _ESCAPE)


def read_line(text: str) -> Any:
    """Return the one value that a line holds, numbers as text, or NotJson."""
    try:
        value, end = _SCAN(text, 0 if text.startswith("{") else _after_space(text, 0))
    except RecursionError:
        return NotJson("It is nested too deeply.")
    except _ConstantError as exc:
        return NotJson(f"{exc} is not JSON.")
    except json.JSONDecodeError as exc:
        return NotJson(f"{exc.msg} in column {exc.pos + 1}.")
    except StopIteration as exc:
        return NotJson(f"Expecting a value in column {int(exc.value) + 1}.")
    if end < len(text):
        end = _after_space(text, end)
    return value if end == len(text) else NotJson(f"More text after the value in column {end + 1}.")


def _after_space(text: str, position: int) -> int:
    return _SPACE.match(text, position).end()  # type: ignore[union-attr]


def as_text(submitted: bytes) -> str:
    """Return submitted bytes as text from which :func:`as_bytes` makes them again."""
    return submitted.decode("utf-8", _ESCAPE)


class JsonText:
    """The window: ``text`` from ``position`` on is what comes next. All faults are MalformedJson with their place."""

    def __init__(self, file: BufferedReader, path: Path, limits: Limits) -> None:
        """Begin at the first character; a byte order mark is skipped."""
        self._file = file
        self._path = path
        self._limits = limits
        self._decode = getincrementaldecoder("utf-8")(_ESCAPE).decode
        self._start = len(BOM_UTF8) if file.peek(3)[:3] == BOM_UTF8 else 0
        file.seek(self._start)
        self._ended = False
        self.text = ""
        self.position = 0

    def peek(self) -> str:
        """Skip white space and return the next character without taking it; empty at the end."""
        while True:
            self.position = _SPACE.match(self.text, self.position).end()  # type: ignore[union-attr]
            if self.position < len(self.text) or not self._refill():
                return self.text[self.position : self.position + 1]

    def take(self, expected: str) -> str:
        """Take the next character, which must be one of ``expected``."""
        found = self.peek()
        if not found or found not in expected:
            names = " or ".join(f"`{character}`" for character in expected)
            raise self.malformed(f"expected {names}, found {f'`{found}`' if found else 'the end of the file'}")
        self.position += 1
        return found

    def value(self) -> tuple[Any, str]:
        """Take one value; return it and the stretch of text that it was read from."""
        self.peek()
        while True:
            try:
                value, end = _SCAN(self.text, self.position)
            except RecursionError as exc:
                raise self.malformed("nested too deeply") from exc
            except _ConstantError as exc:
                raise self.malformed(f"{exc} is not JSON", self._position_of_fault()) from exc
            except (StopIteration, json.JSONDecodeError) as exc:
                if not self._more():
                    raise self._explained(exc) from exc
                continue
            if end == len(self.text) and self._more():
                continue  # a number may go on
            begin, self.position = self.position, end
            if end - begin > self._limits.record_bytes:
                raise self._too_large(begin)
            return value, self.text[begin:end]

    def malformed(self, what: str, position: int | None = None) -> MalformedJson:
        """Return the fault at a position of ``text``, by default the present one."""
        offset = self._offset(self.position if position is None else position)
        line, column = _line_and_column(self._path, offset)
        shown = as_bytes(what).decode("utf-8", "backslashreplace")  # a byte that is not UTF-8 is shown as its escape
        return MalformedJson(
            f"Malformed JSON in line {line}, column {column} (byte {offset}): {shown}.",
            offset=offset,
            line=line,
            column=column,
        )

    def _more(self) -> bool:
        """Read on, unless what is unread is more than a value may hold already."""
        return len(self.text) - self.position <= self._limits.record_bytes and self._refill()

    def _refill(self) -> bool:
        if self._ended:
            return False
        read = self._file.read(self._limits.block_bytes)
        self._ended = len(read) < self._limits.block_bytes
        self._start += len(as_bytes(self.text[: self.position]))
        self.text = self.text[self.position :] + self._decode(read, self._ended)
        self.position = 0
        return True

    def _offset(self, position: int) -> int:
        return self._start + len(as_bytes(self.text[:position]))

    def _explained(self, exc: StopIteration | json.JSONDecodeError) -> MalformedJson | RecordTooLarge:
        if isinstance(exc, StopIteration):
            position = int(exc.value)
            found = self.text[position : position + 1]
            return self.malformed(
                f"expected a value, found {f'`{found}`' if found else 'the end of the file'}", position
            )
        if not self._ended and (exc.pos >= len(self.text) - 1 or exc.msg.startswith("Unterminated")):
            return self._too_large(self.position)
        return self.malformed(exc.msg[:1].lower() + exc.msg[1:], exc.pos)

    def _too_large(self, position: int) -> RecordTooLarge:
        offset = self._offset(position)
        line, column = _line_and_column(self._path, offset)
        most = self._limits.record_bytes
        return RecordTooLarge(
            f"The value in line {line}, column {column} (byte {offset}) has more than {most} bytes.",
            offset=offset,
            line=line,
            column=column,
            expected=most,
        )

    def _position_of_fault(self) -> int:
        """Return where a constant is that `json` does not tell the position of."""
        try:
            msgspec.json.decode(as_bytes(self.text[self.position :]), type=msgspec.Raw)
        except msgspec.DecodeError as exc:
            if match := re.search(r"byte (\d+)", str(exc)):
                before = as_bytes(self.text[self.position :])[: int(match[1])]
                return self.position + len(before.decode("utf-8", _ESCAPE))
        return self.position


def _line_and_column(path: Path, offset: int) -> tuple[int, int]:
    """Return the 1-based line and the 1-based column, in bytes, of a byte offset."""
    line, line_start, read = 1, 0, 0
    with path.open("rb") as file:
        while read < offset and (block := file.read(min(1 << 20, offset - read))):
            line += block.count(b"\n")
            if (last := block.rfind(b"\n")) >= 0:
                line_start = read + last + 1
            read += len(block)
    return line, offset - line_start + 1
