"""Lineage: from where a listing is, how its record became a row, and where else the offer was seen."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from glyphd.domain.imports import Artifact, Kind, Status
from glyphd.domain.issues import Issue
from glyphd.domain.report import ImportEvent


@dataclass(frozen=True, slots=True)
class Origin:
    """The import of a record, in short."""

    import_id: str
    kind: Kind
    status: Status
    source: str
    source_version: int | None
    parent_import_id: str | None
    previous_import_id: str | None
    campaign_id: str | None
    metadata: dict[str, Any]
    schema_version: str
    observed_at: datetime | None
    imported_at: datetime
    published_at: datetime | None
    received: int
    count: int
    rejected: int


@dataclass(frozen=True, slots=True)
class Conversion:
    """How a field got its value: ``raw`` is the text of the cell under ``header``, both null where there is none.

    ``value`` is what is stored, null in a record that was rejected.
    """

    field: str
    header: str | None
    raw: str | None
    value: Any


@dataclass(frozen=True, slots=True)
class OfferSighting:
    """The offer in another import. Price in USD."""

    import_id: str
    import_index: int
    source: str
    observed_at: datetime | None
    price: float
    score: float


@dataclass(frozen=True, slots=True)
class Lineage:
    """Everything that is known of one record. ``import_index`` is its 1-based position in the batch.

    ``raw`` is the record as submitted, of a pipeline run those of both files with a line feed between; where it cannot
    be had, ``raw_missing`` says why. ``warnings`` are those of this record. ``earlier`` and ``later`` are the nearest
    sightings of the offer in imports that are visible, in order of time; ``listing`` is null for a rejected record.
    """

    outcome: Literal["stored", "rejected"]
    import_id: str
    import_index: int
    origin: Origin
    artifacts: Sequence[Artifact]
    raw: str | None
    raw_encoding: Literal["utf8", "base64"] | None
    raw_missing: str | None
    conversions: Sequence[Conversion]
    warnings: Sequence[str]
    issues: Sequence[Issue]
    listing: dict[str, Any] | None
    earlier: Sequence[OfferSighting]
    later: Sequence[OfferSighting]
    sightings_truncated: bool
    events: Sequence[ImportEvent]
