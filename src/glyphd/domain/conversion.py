"""How one cell becomes a value: the row contract (DESIGN §5) in plain Python, one cell at a time.

This is the oracle: slow, readable and used by tests to hold the columnar validation against. The patterns are shared.
"""

import math
import re
from datetime import UTC, datetime, timedelta

from glyphd.domain.issues import IssueCode
from glyphd.domain.listing import NULL_TOKENS, Field, FieldType

Value = str | int | float | bool | datetime

# Patterns are matched against the whole text and mean the same to Python and to Rust (polars): no \s, \d or \w.
NUMBER = r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?|[+-]?[iI][nN][fF](?:[iI][nN][iI][tT][yY])?"
"""A decimal number or an infinity, the latter so that it is `not_finite` rather than `not_a_number`."""

PRICE = r"[+-]?(?:\$ *)?(?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9]+)(?:\.[0-9]*)?"
"""A price as people write it: a dollar sign in front, commas only between groups of three digits."""

TIMESTAMP = (
    r"[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])"
    r"(?:[T ](?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9](?:[.,][0-9]+)?)?"
    r"(?:Z|[+-](?:[01][0-9]|2[0-3])(?::?[0-5][0-9])?)?)?"
)
"""ISO 8601: a date, or a date and time with or without seconds, fraction and offset."""

_BLANKS = "\x00-\x20\x7f-\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
"""White space and control characters: none of them may be in a URL."""

URL = (
    rf"[hH][tT][tT][pP][sS]?://(?:[^{_BLANKS}/?#@\\]*@)?"
    rf"(?:\[[0-9a-fA-F:.]+\]|[^{_BLANKS}/?#@:\[\]\\]+)(?::[0-9]{{0,5}})?(?:[/?#][^{_BLANKS}]*)?"
)
"""A http or https URL with a host."""

SCHEME = r"[a-zA-Z][a-zA-Z0-9+\-]*:"
"""How a URL begins. Real crawls hold `newegg.com/p/1FT` and `Referenced in PC Gamer article` in 27 of 148 good rows:
text that claims no scheme is NULL with a warning, `javascript:` and `http://` without a host are `not_a_url`."""

TRUE_WORDS = frozenset({"true", "yes", "1", "1.0"})
FALSE_WORDS = frozenset({"false", "no", "0", "0.0"})
UNKNOWN_MODEL = "unknown"

CLOCK_TOLERANCE = timedelta(hours=24)
"""How far after receipt an offer may claim to have been seen: clocks and time zones are wrong in the field."""

_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001  naive arithmetic: datetimes with an offset overflow at both ends
_FIRST = datetime(1, 1, 1) - _EPOCH  # noqa: DTZ001


def convert(field: Field, cell: str | None, received_at: datetime) -> Value | IssueCode | None:
    """Return what a cell says: a value, None for no value, or the first issue that applies.

    ``received_at`` has an offset; timestamps come back as UTC. Some issues only warn, see :func:`only_warns`.
    """
    text = (cell or "").strip()
    if text.lower() in NULL_TOKENS:
        return IssueCode.REQUIRED if field.required else None
    match field.type:
        case FieldType.TEXT:
            return _text(field, text)
        case FieldType.URL:
            return _url(field, text)
        case FieldType.BOOLEAN:
            return _boolean(text)
        case FieldType.TIMESTAMP:
            return _timestamp(text, received_at.astimezone(UTC).replace(tzinfo=None))
        case FieldType.INTEGER | FieldType.NUMBER:
            return _number(field, text)


def only_warns(field: Field, cell: str, code: IssueCode) -> bool:
    """Tell whether this issue of this cell does not reject its record: the value is NULL, and a warning counts it."""
    return field.unknown_means_null or (code is IssueCode.NOT_A_URL and not re.match(SCHEME, cell.strip()))


def _text(field: Field, text: str) -> str | IssueCode:
    if field.max_length is not None and len(text) > field.max_length:
        return IssueCode.TOO_LONG
    if field.name == "canonical_model" and text.lower() == UNKNOWN_MODEL:
        return IssueCode.UNKNOWN_MODEL
    return text


def _url(field: Field, text: str) -> str | IssueCode:
    if field.max_length is not None and len(text) > field.max_length:
        return IssueCode.TOO_LONG
    return text if re.fullmatch(URL, text) else IssueCode.NOT_A_URL


def _boolean(text: str) -> bool | IssueCode:
    word = text.lower()
    return word in TRUE_WORDS if word in TRUE_WORDS | FALSE_WORDS else IssueCode.NOT_A_BOOLEAN


def _number(field: Field, text: str) -> float | int | IssueCode:
    if field.thousands and re.fullmatch(PRICE, text):
        text = re.sub(r"[$, ]", "", text)
    if not re.fullmatch(NUMBER, text):
        return IssueCode.NOT_A_NUMBER
    number = float(text)
    if math.isinf(number):
        return IssueCode.NOT_FINITE
    integral = field.type is FieldType.INTEGER
    if integral and not number.is_integer():
        return IssueCode.NOT_AN_INTEGER
    if not _in_range(field, number):
        return IssueCode.OUT_OF_RANGE
    return int(number) if integral else number


def _in_range(field: Field, number: float) -> bool:
    too_low = (field.minimum is not None and number < field.minimum) or (
        field.above is not None and number <= field.above
    )
    return not too_low and (field.maximum is None or number <= field.maximum)


def _timestamp(text: str, received_at: datetime) -> datetime | IssueCode:
    if not re.fullmatch(TIMESTAMP, text):
        return IssueCode.NOT_A_TIMESTAMP
    parts = re.findall(r"(.{10})(?:.(.{5})(?::(..)(?:[.,]([0-9]+))?)?(Z|[+-].*)?)?", text)
    date, clock, seconds, fraction, offset = parts[0]
    try:
        naive = datetime.fromisoformat(f"{date}T{clock or '00:00'}:{seconds or '00'}.{(fraction or '0')[:6]:0<6}")
    except ValueError:  # 30 February, year 0
        return IssueCode.NOT_A_TIMESTAMP
    since_epoch = naive - _EPOCH - _offset(offset)
    if since_epoch < _FIRST:
        return IssueCode.NOT_A_TIMESTAMP
    if since_epoch > received_at - _EPOCH + CLOCK_TOLERANCE:
        return IssueCode.OUT_OF_RANGE
    return (_EPOCH + since_epoch).replace(tzinfo=UTC)


def _offset(text: str) -> timedelta:
    if text in {"", "Z"}:
        return timedelta(0)
    digits = text[1:].replace(":", "").ljust(4, "0")
    offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return -offset if text[0] == "-" else offset
