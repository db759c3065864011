"""Where one record came from and what became of it: the answer to `explain`."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from glyphd.domain.imports import Artifact, Kind, Status
from glyphd.domain.issues import Issue
from glyphd.domain.report import ImportEvent


@dataclass(frozen=True, slots=True)
class LineageImport:
    """The import of a record, in what tells where it came from."""

    import_id: str
    status: Status
    kind: Kind
    source: str
    source_version: int | None
    parent_import_id: str | None
    schema_version: str
    observed_at: datetime | None
    imported_at: datetime
    published_at: datetime | None


@dataclass(frozen=True, slots=True)
class CellLineage:
    """How one field was read: the column's header as submitted, the cell's raw text, and the value that is stored."""

    field: str
    header: str | None
    raw: str | None
    value: Any


@dataclass(frozen=True, slots=True)
class LineageSighting:
    """The same offer in a visible import; price in USD."""

    import_id: str
    import_index: int
    observed_at: datetime | None
    price: float
    score: float


@dataclass(frozen=True, slots=True)
class Lineage:
    """Everything known of one submitted record.

    ``raw`` is the record as submitted, as text or as base64 (of a pipeline run the records of both files, with a line
    feed between); it is null where no artifact is kept, and ``raw_missing`` says why. ``listing`` is the stored row,
    null for a rejected record, whose ``issues`` say what is wrong with it. ``warnings`` counts those of this record.
    """

    import_id: str
    import_index: int
    outcome: Literal["accepted", "rejected"]
    batch: LineageImport
    artifacts: list[Artifact]
    raw: str | None
    raw_encoding: Literal["utf8", "base64"] | None
    raw_missing: str | None
    cells: list[CellLineage]
    issues: Sequence[Issue]
    warnings: dict[str, int]
    listing: dict[str, Any] | None
    earlier: list[LineageSighting]
    later: list[LineageSighting]
    events: list[ImportEvent]
