"""What a stored value is to readers. SQLite keeps any value in any column, and databases in the field make use of it.

A value that is not of its column's type is null to readers; text is shown as far as it is text. `glyphd copy` moves
what PostgreSQL cannot hold to ``legacy_raw``, and what readers are shown stays the same.
"""

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from types import NoneType
from typing import Any

from glyphd.domain.listing import FieldType
from glyphd.store.types import JsonText, parse_timestamp

INT32 = (-(1 << 31), (1 << 31) - 1)
INT64 = (-(1 << 63), (1 << 63) - 1)
_decode_json = JsonText().process_result_value


def integer_of(value: Any, low: int = INT32[0], high: int = INT32[1]) -> int | None:
    """Return a whole number between two; by default one that an INTEGER holds on both engines."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return int(value) if isinstance(value, int) and low <= value <= high else None


def number_of(value: Any) -> float | None:
    """Return a finite number."""
    return float(value) if isinstance(value, int | float) and math.isfinite(value) else None


def boolean_of(value: Any) -> bool | None:
    """Return a truth value: true, false, 1 or 0."""
    return bool(value) if isinstance(value, int) and value in {0, 1} else None


def text_of(value: Any) -> str | None:
    """Return text; what cannot be shown (bytes that are not UTF-8, NUL) is the replacement character."""
    if value is None:
        return None
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace").replace("\0", "\N{REPLACEMENT CHARACTER}")
    text = str(value)
    return text if is_plain(text) else text_of(verbatim_bytes(text))


def is_plain(text: str) -> bool:
    """Tell whether both engines hold a text: it is UTF-8 without NUL."""
    if text.isascii():
        return "\0" not in text
    try:
        return b"\0" not in text.encode()
    except UnicodeEncodeError:
        return False


def verbatim_bytes(text: str) -> bytes:
    """Return the bytes of a text that was read verbatim: what was not UTF-8 stands in it as lone surrogates."""
    return text.encode("utf-8", "surrogateescape")


def shown(kind: FieldType, value: Any) -> Any:
    """Return a stored value of a field as readers see it."""
    return _reading(kind)(value)


def _reading(kind: FieldType) -> Callable[[Any], Any]:
    return _SHOWN.get(kind, text_of)


_SHOWN: Mapping[FieldType, Callable[[Any], Any]] = {
    FieldType.BOOLEAN: boolean_of,
    FieldType.INTEGER: integer_of,
    FieldType.NUMBER: number_of,
    FieldType.TIMESTAMP: parse_timestamp,
}


def shown_column(kind: FieldType, values: Sequence[Any]) -> Sequence[Any]:
    """Return many values of one field as readers see them; quick where there is nothing to do."""
    return values if _is_as_shown(kind, values) else list(map(_reading(kind), values))


def _is_as_shown(kind: FieldType, values: Sequence[Any]) -> bool:
    types = set(map(type, values)) - {NoneType}
    if not types:
        return True
    if kind is FieldType.INTEGER and types == {int}:
        whole = [value for value in values if value is not None]
        return bool(INT32[0] <= min(whole) and max(whole) <= INT32[1])
    if kind is FieldType.NUMBER and types == {float}:
        return all(map(math.isfinite, [value for value in values if value is not None]))
    if kind in {FieldType.TEXT, FieldType.URL} and types == {str}:
        return is_plain("".join([value for value in values if value is not None]))
    return kind is FieldType.BOOLEAN and types == {bool}


def unshown(fields: Mapping[str, FieldType], legacy_raw: Any) -> Collection[str]:
    """Return the fields whose columns hold a placeholder, as a row's ``legacy_raw`` has it.

    A text column does not: it holds what readers are shown of the text, unless there was none.
    """
    if legacy_raw is None:
        return ()
    found: dict[str, Any] = _decode_json(legacy_raw, None)  # type: ignore[arg-type] # the dialect does not matter to it
    text = (FieldType.TEXT, FieldType.URL)
    return [name for name in found if name in fields and (found[name] is None or fields[name] not in text)]
