"""What a client may say about a batch, and how it is read wherever it is said."""

import json
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, TypeVar

import msgspec

from glyphd.domain.gates import GATE_NAMES, GateLimits
from glyphd.domain.imports import OnError, PublishMode
from glyphd.domain.listing import DEFAULT_SCHEMA_VERSION, SCHEMA_VERSIONS
from glyphd.errors import ConflictingOptions, InvalidParameter, UnsupportedSchemaVersion

DEFAULT_SOURCE = "default"
SOURCE_LENGTH = 128
CAMPAIGN_LENGTH = 256
ID_LENGTH = 128
MOST_PRICE_MOVE = 1_000_000
MOST_ROWS = 2_147_483_647
METADATA_BYTES = 16 * 1024
METADATA_LEVELS = 32
METADATA_MEMBERS = 16


Word = TypeVar("Word", bound=StrEnum)


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """The options of one import, checked. ``source`` and ``observed_at`` are None when the client did not give them."""

    source: str | None = None
    campaign_id: str | None = None
    metadata: dict[str, Any] = field(default_factory=dict)
    observed_at: datetime | None = None
    on_error: OnError = OnError.CONTINUE
    schema_version: str = DEFAULT_SCHEMA_VERSION
    publish: PublishMode = PublishMode.AUTO
    parent_import_id: str | None = None
    gates: GateLimits = field(default_factory=GateLimits)


def parse_options(*origins: Mapping[str, Any], now: datetime) -> ImportOptions:
    """Read options from query parameters, form fields and JSON members.

    Raises ConflictingOptions when two origins disagree, InvalidParameter for an unknown name or value,
    UnsupportedSchemaVersion.
    """
    values: dict[str, Any] = {}
    for origin in origins:
        for name, given in origin.items():
            if given is None and name in _PARSERS:
                continue  # JSON's way to say that it is not given
            if name not in _PARSERS:
                raise InvalidParameter(
                    f"{name!r} is not an option; the options are {', '.join(_PARSERS)}.", parameter=name
                )
            value = _PARSERS[name](name, given)
            if values.setdefault(_SYNONYMS.get(name, name), value) != value:
                raise ConflictingOptions(f"{name} was given twice, with different values.", parameter=name)
    _check_observed_at(values.get("observed_at"), now)
    gates = GateLimits(**{name: values.pop(name) for name in GATE_NAMES if name in values})
    return ImportOptions(**values, gates=gates)


def parse_moment(name: str, given: Any) -> datetime:
    """Read an ISO 8601 moment; no offset means UTC. Raises InvalidParameter."""
    try:
        moment = datetime.fromisoformat(_text(name, given, 64))
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        detail = f"{name} must be an ISO 8601 date or time such as 2026-07-01T00:00:00Z, not {given!r}."
        raise InvalidParameter(detail, parameter=name) from None


def _check_observed_at(observed_at: datetime | None, now: datetime) -> None:
    if observed_at is not None and observed_at > now + timedelta(hours=24):
        raise InvalidParameter("observed_at must be at most 24 hours ahead.", parameter="observed_at")


def _text(name: str, given: Any, limit: int) -> str:
    text = given.strip() if isinstance(given, str) else ""
    if not text or len(text) > limit or any(unicodedata.category(character) in {"Cc", "Cs"} for character in text):
        detail = f"{name} must be text of 1 to {limit} characters without control characters."
        raise InvalidParameter(detail, parameter=name)
    return text


def _source(name: str, given: Any) -> str:
    return _text(name, given, SOURCE_LENGTH)


def _campaign(name: str, given: Any) -> str:
    return _text(name, given, CAMPAIGN_LENGTH)


def _metadata(name: str, given: Any) -> dict[str, Any]:
    try:
        value = msgspec.json.decode(given) if isinstance(given, str | bytes) else given
        text = json.dumps(value, ensure_ascii=False, allow_nan=False)
        fits = isinstance(value, dict) and len(text.encode()) <= METADATA_BYTES and _levels(value) <= METADATA_LEVELS
    except (msgspec.MsgspecError, RecursionError, ValueError):
        text, fits = "", False
    if not fits or "\\u0000" in text.replace("\\\\", ""):
        detail = (
            f"{name} must be a JSON object of at most {METADATA_BYTES} bytes and {METADATA_LEVELS} levels, "
            "without NUL characters and lone surrogates."
        )
        raise InvalidParameter(detail, parameter=name)
    return dict(value)


def parse_members(name: str, given: str) -> dict[str, Any]:
    """Read the members that metadata must hold. Raises InvalidParameter, also for values that are no scalars."""
    members = _metadata(name, given)
    if len(members) > METADATA_MEMBERS or any(isinstance(value, dict | list) for value in members.values()):
        detail = f"{name} must be a JSON object of at most {METADATA_MEMBERS} members, none of them an object or array."
        raise InvalidParameter(detail, parameter=name)
    return members


def _levels(value: Any) -> int:
    levels, layer = 0, [value]
    while layer := [inner for outer in layer for inner in _inside(outer)]:
        levels += 1
    return levels


def _inside(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []


def _one_of(words: type[Word]) -> Callable[[str, Any], Word]:
    def read(name: str, given: Any) -> Word:
        try:
            return words(given)
        except ValueError:
            detail = f"{name} must be one of {', '.join(words)}, not {given!r}."
            raise InvalidParameter(detail, parameter=name) from None

    return read


def _parent(name: str, given: Any) -> str:
    return _text(name, given, ID_LENGTH)


def _at_least_zero(kind: type[float], most: float) -> Callable[[str, Any], float]:
    """Return what reads a number from 0 to ``most``, given as a number or as its text."""

    def read(name: str, given: Any) -> float:
        try:
            number = kind(given) if isinstance(given, str) else given
        except ValueError:
            number = None
        if isinstance(number, bool) or not isinstance(number, int | kind) or not 0 <= number <= most:
            what = "a whole number" if kind is int else "a number"
            raise InvalidParameter(f"{name} must be {what} from 0 to {most:g}.", parameter=name)
        return kind(number)

    return read


def parse_schema_version(name: str, given: Any) -> str:
    """Read a supported schema version. Raises UnsupportedSchemaVersion, which names those that are."""
    if given not in SCHEMA_VERSIONS:
        detail = f"{given!r} is not a supported schema version; supported are {', '.join(SCHEMA_VERSIONS)}."
        raise UnsupportedSchemaVersion(detail, parameter=name, supported=list(SCHEMA_VERSIONS))
    return str(given)


_PARSERS: dict[str, Callable[[str, Any], Any]] = {
    "source": _source,
    "source_label": _source,
    "campaign_id": _campaign,
    "metadata": _metadata,
    "observed_at": parse_moment,
    "on_error": _one_of(OnError),
    "schema_version": parse_schema_version,
    "publish": _one_of(PublishMode),
    "parent_import_id": _parent,
    "max_reject_rate": _at_least_zero(float, 1),
    "max_price_move": _at_least_zero(float, MOST_PRICE_MOVE),
    "min_rows": _at_least_zero(int, MOST_ROWS),
}

_SYNONYMS = {"source_label": "source"}

OPTION_NAMES = tuple(_PARSERS)
"""What may be said about a batch, as query parameter, form field or JSON member."""
