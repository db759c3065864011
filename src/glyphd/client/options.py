"""What may be said of a batch, and asked of imports and listings; names, values and units are those of the HTTP API."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, TypedDict

import msgspec


class SubmitOptions(TypedDict, total=False):
    """The options of an import; one that is None is not given."""

    source: str | None
    campaign_id: str | None
    metadata: Mapping[str, Any] | str | None
    observed_at: datetime | str | None
    on_error: str | None
    schema_version: str | None


class ImportQuery(TypedDict, total=False):
    """Which imports; ``since`` (inclusive) and ``until`` are about the time of receipt."""

    source: str | None
    status: Sequence[str] | None
    since: datetime | str | None
    until: datetime | str | None


class ListingQuery(TypedDict, total=False):
    """Which listings; prices are USD, ``after`` (inclusive) and ``before`` are about ``seen_at``."""

    import_id: str | None
    source: str | None
    model: str | None
    min_price: float | None
    max_price: float | None
    min_score: float | None
    max_score: float | None
    region: str | None
    seller: str | None
    condition: str | None
    after: datetime | str | None
    before: datetime | str | None
    q: str | None


def as_parameters(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return what was given as query parameters."""
    return {name: _said(value) for name, value in given.items() if value is not None}


def _said(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    return msgspec.json.encode(value).decode() if isinstance(value, Mapping) else value
