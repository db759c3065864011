"""What may be said of a batch, and asked of imports and listings; names, values and units are those of the HTTP API."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, TypedDict

import msgspec

from glyphd.client.uploads import OnSent

Wait = bool | float
"""Until an import is finished (True), so many seconds, or not at all (False)."""

Moment = datetime | str


class ImportOptions(TypedDict, total=False):
    """What may be said of a batch; what is None is not said."""

    source: str | None
    campaign_id: str | None
    metadata: Mapping[str, Any] | str | None
    observed_at: Moment | None
    on_error: str | None
    schema_version: str | None
    publish: str | None
    parent_import_id: str | None
    max_reject_rate: float | str | None
    max_price_move: float | str | None
    min_rows: int | str | None


class Checking(ImportOptions, total=False):
    """How a batch is sent to be validated. ``on_progress`` is told the bytes sent, and how many there are."""

    on_progress: OnSent | None


class Submission(ImportOptions, total=False):
    """How a batch is sent, besides: the key by which it is known when it is sent again, and how long to wait for it.

    ``idempotency_key``: left out, a call makes its own; give one to go on with what another process began.
    ``wait``: True if left out. ``on_progress`` is told the bytes sent, and how many there are.
    """

    idempotency_key: str | None
    wait: Wait
    on_progress: OnSent | None


class ImportQuery(TypedDict, total=False):
    """Which imports; ``since`` (inclusive) and ``until`` are about the time of receipt.

    ``sort`` as :class:`glyphd.domain.imports.ImportSort` has it.
    """

    source: str | None
    parent_import_id: str | None
    campaign_id: str | None
    metadata: Mapping[str, Any] | None
    status: Sequence[str] | None
    visible: bool | None
    since: Moment | None
    until: Moment | None
    sort: str | None


class ListingQuery(TypedDict, total=False):
    """Which listings; prices are USD, ``after`` (inclusive) and ``before`` are about ``seen_at``.

    ``current``: only those of each source's latest published batch; ``as_of``: as that was at a moment.
    """

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
    after: Moment | None
    before: Moment | None
    current: bool | None
    as_of: Moment | None
    q: str | None


class DiffQuery(TypedDict, total=False):
    """Which rows of a comparison: ``change`` and ``sort`` as :mod:`glyphd.domain.diff` has them, moves in %."""

    change: Sequence[str] | None
    model: str | None
    min_price_change_pct: float | None
    sort: str | None


class PeriodQuery(TypedDict, total=False):
    """Which batches: of a source; observed from ``since`` to before ``until``, and by ``as_of``."""

    source: str | None
    since: Moment | None
    until: Moment | None
    as_of: Moment | None


class DeltaQuery(TypedDict, total=False):
    """Which moves; ``min_price_change_pct`` is about prices that go up and such that go down."""

    model: str | None
    source: str | None
    region: str | None
    min_price_change_pct: float | None
    since: Moment | None
    until: Moment | None


class MarketOptions(TypedDict, total=False):
    """What a market report is about: an import, or a view, of all sources or one; ``budget`` is in USD."""

    import_id: str | None
    as_of: Moment | None
    source: str | None
    budget: float | None


def as_parameters(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return what was given as query parameters."""
    return {name: _said(value) for name, value in given.items() if value is not None}


def _said(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    return msgspec.json.encode(value).decode() if isinstance(value, Mapping) else value
