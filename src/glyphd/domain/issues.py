"""What can be wrong with one record: a closed vocabulary of issue codes, each with one message."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from glyphd.domain.listing import Field, FieldType


class IssueCode(StrEnum):
    """Stable slugs; clients switch on them, messages may be reworded."""

    REQUIRED = "required"
    NOT_A_NUMBER = "not_a_number"
    NOT_AN_INTEGER = "not_an_integer"
    NOT_FINITE = "not_finite"
    OUT_OF_RANGE = "out_of_range"
    NOT_A_BOOLEAN = "not_a_boolean"
    TOO_LONG = "too_long"
    NOT_A_TIMESTAMP = "not_a_timestamp"
    NOT_A_URL = "not_a_url"
    UNKNOWN_MODEL = "unknown_model"
    INVALID_ENCODING = "invalid_encoding"
    RAGGED_ROW = "ragged_row"
    NOT_TEXT = "not_text"
    NOT_AN_OBJECT = "not_an_object"
    DUPLICATE_MEMBER = "duplicate_member"
    MALFORMED_JSON = "malformed_json"


DESCRIPTIONS: dict[IssueCode, str] = {
    IssueCode.REQUIRED: "A required field is empty or missing.",
    IssueCode.NOT_A_NUMBER: "The value is not a number. A comma is a thousands separator only as in `12,490`.",
    IssueCode.NOT_AN_INTEGER: "The number has a fractional part; `80.0` is the integer 80, `80.5` is not.",
    IssueCode.NOT_FINITE: "The number is infinite, or too large to be read as a number.",
    IssueCode.OUT_OF_RANGE: "The value is outside the accepted range.",
    IssueCode.NOT_A_BOOLEAN: "The value is none of true, false, 1, 0, yes, no.",
    IssueCode.TOO_LONG: "The text is longer than the field holds.",
    IssueCode.NOT_A_TIMESTAMP: "The value is not an ISO 8601 date or time.",
    IssueCode.NOT_A_URL: "The value is not a http or https URL.",
    IssueCode.UNKNOWN_MODEL: "The model is `UNKNOWN`: the pipeline could not tell what is offered.",
    IssueCode.INVALID_ENCODING: "The record holds text that is not valid Unicode (UTF-8), or a NUL character.",
    IssueCode.RAGGED_ROW: "The record has more or fewer cells than the header.",
    IssueCode.NOT_TEXT: "A text field holds a JSON boolean, array or object.",
    IssueCode.NOT_AN_OBJECT: "The record is not a JSON object.",
    IssueCode.MALFORMED_JSON: "The line of an NDJSON file is not well-formed JSON.",
    IssueCode.DUPLICATE_MEMBER: "The JSON object names one member twice, so that one of the values would be lost.",
}
"""One sentence a code, for the reference and the API schema."""

VALUE_LIMIT = 256
"""An issue quotes at most this many characters of the offending value; the whole record is in the rejection."""


@dataclass(frozen=True, slots=True)
class Issue:
    """One problem of one record. ``field`` is None when the record as a whole is at fault."""

    field: str | None
    code: IssueCode
    message: str
    value: str | None


@dataclass(frozen=True, slots=True)
class Rejection:
    """A submitted record that is not stored: its 1-based position, its bytes as submitted, and why."""

    import_index: int
    raw: bytes
    issues: Sequence[Issue]

    @property
    def encoding(self) -> Literal["utf8", "base64"]:
        """How ``raw`` is carried where only text can be."""
        try:
            self.raw.decode()
        except UnicodeDecodeError:
            return "base64"
        return "utf8"


_MESSAGES: dict[IssueCode, str] = {
    IssueCode.REQUIRED: "{name} is required",
    IssueCode.NOT_A_NUMBER: "{name} must be a number",
    IssueCode.NOT_AN_INTEGER: "{name} must be a whole number",
    IssueCode.NOT_FINITE: "{name} must be finite",
    IssueCode.OUT_OF_RANGE: "{name} must be {range}",
    IssueCode.NOT_A_BOOLEAN: "{name} must be one of true, false, 1, 0, yes, no",
    IssueCode.TOO_LONG: "{name} must have at most {length} characters",
    IssueCode.NOT_A_TIMESTAMP: "{name} must be an ISO 8601 date or time",
    IssueCode.NOT_A_URL: "{name} must be a http or https URL",
    IssueCode.UNKNOWN_MODEL: "{name} must name a model, not UNKNOWN",
}


def message_for(field: Field, code: IssueCode) -> str:
    """Return the stable message for one field and code, e.g. `vram_gb must be between 1 and 1024`."""
    if code not in _MESSAGES:
        return DESCRIPTIONS[code]
    bounds = _range(field) if code is IssueCode.OUT_OF_RANGE else ""
    return _MESSAGES[code].format(name=field.name, range=bounds, length=field.max_length)


def _range(field: Field) -> str:
    if field.type is FieldType.TIMESTAMP:
        return "at most 24 hours after receipt"
    if field.above is not None:
        return f"above {field.above:,.0f} and at most {field.maximum:,.0f}".replace(",", " ")
    return f"between {field.minimum:.0f} and {field.maximum:.0f}"


def quote_value(value: str) -> str:
    """Return a value as an issue quotes it: cut to :data:`VALUE_LIMIT` characters."""
    return value if len(value) <= VALUE_LIMIT else value[: VALUE_LIMIT - 1] + "…"
