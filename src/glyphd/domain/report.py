"""What is told of imports: one shape each for services, HTTP API, command line and client (DESIGN §6)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Literal

from glyphd.domain.gates import Gate
from glyphd.domain.imports import Artifact, Kind, Status
from glyphd.domain.issues import Issue, IssueCode
from glyphd.domain.progress import Progress


@dataclass(frozen=True, slots=True)
class RecordError:
    """One issue of one rejected record. ``import_index`` is its 1-based position in the batch."""

    import_index: int
    field: str | None
    code: IssueCode
    message: str
    value: str | None


@dataclass(frozen=True, slots=True)
class ModelCount:
    """How many rows of an import are of one model."""

    model: str
    count: int


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What became of a batch. ``received = count + rejected`` once it is staged or published. Prices are USD."""

    import_id: str
    status: Status
    schema_version: str
    source: str
    source_version: int | None
    previous_import_id: str | None
    parent_import_id: str | None
    kind: Kind
    campaign_id: str | None
    metadata: dict[str, Any]
    observed_at: datetime | None
    imported_at: datetime
    completed_at: datetime | None
    duration_ms: int | None
    received: int
    count: int
    rejected: int
    warning_counts: dict[str, int]
    errors: list[RecordError]
    error_counts: dict[str, int]
    errors_truncated: bool
    ignored_columns: list[str]
    duplicate_of: str | None
    price_range: tuple[float, float] | None
    score_range: tuple[float, float] | None
    top_models: list[ModelCount]
    artifacts: list[Artifact]
    progress: Progress | None
    gates: list[Gate]
    failure: dict[str, Any] | None
    published_at: datetime | None
    links: dict[str, str]


@dataclass(frozen=True, slots=True)
class ValidationReport:
    """What an import of the batch would report; ``count`` is how many rows would be stored. Prices are USD.

    ``satisfies`` are the schema versions under which it would be imported, ``columns`` is header as submitted → field,
    null for one that is ignored. ``format`` is that of a compressed file's content, null when it cannot be decoded.
    ``failure`` is what the import would fail with, null when ``would_import``.
    """

    would_import: bool
    failure: dict[str, Any] | None
    schema_version: str
    satisfies: list[str]
    format: str | None
    received: int
    count: int
    rejected: int
    warning_counts: dict[str, int]
    errors: list[RecordError]
    error_counts: dict[str, int]
    errors_truncated: bool
    columns: dict[str, str | None]
    ignored_columns: list[str]
    duplicate_of: str | None
    price_range: tuple[float, float] | None
    score_range: tuple[float, float] | None
    top_models: list[ModelCount]
    artifacts: list[Artifact]


class ExportFormat(StrEnum):
    """As what rows are exported: all that match, not a page."""

    CSV = "csv"
    NDJSON = "ndjson"
    PARQUET = "parquet"

    @property
    def media_type(self) -> str:
        """Return the media type of such a file."""
        return {"csv": "text/csv; charset=utf-8", "ndjson": "application/x-ndjson"}.get(
            self, "application/vnd.apache.parquet"
        )


class RejectionVariant(StrEnum):
    """For whom the file is: for a program, the cells as they came; for a spreadsheet, none of them a formula."""

    ROUNDTRIP = "roundtrip"
    SPREADSHEET = "spreadsheet"


@dataclass(frozen=True, slots=True)
class RejectedRecord:
    """A submitted record that was not stored. ``raw`` is what was submitted, as text or as base64."""

    import_index: int
    raw: str
    raw_encoding: Literal["utf8", "base64"]
    issues: Sequence[Issue]


@dataclass(frozen=True, slots=True)
class ImportEvent:
    """One thing that happened to an import. ``status`` is the import's, after it."""

    at: datetime
    actor: str
    action: str
    status: Status
    reason: str | None
    details: dict[str, Any]


@dataclass(frozen=True, slots=True)
class ModelSummary:
    """The market of one model in a view: prices in USD, facts as its first listing states them.

    ``last_seen_at`` is when the latest crawl of the view that has the model was made.
    """

    model: str
    listing_count: int
    min_price: float
    median_price: float
    max_price: float
    avg_price: float
    last_seen_at: datetime | None
    vram_gb: int | None
    tdp_watts: int | None
    mig_support: int | None
    nvlink: bool | None
    generation: str | None
    cuda_cores: int | None
    slot_width: int | None
    pcie_generation: int | None


@dataclass(frozen=True, slots=True)
class SourceSummary:
    """One source: its newest import of any outcome, and the published batch that stands for it now."""

    source: str
    imports: int
    source_version: int | None
    latest_import_id: str
    latest_status: Status
    latest_imported_at: datetime
    current_import_id: str | None
    current_observed_at: datetime | None
    current_published_at: datetime | None
    received: int | None
    count: int | None
    rejected: int | None


@dataclass(frozen=True, slots=True)
class SchemaVersions:
    """The schema versions that a batch may name."""

    default: str
    supported: list[str]


@dataclass(frozen=True, slots=True)
class RowDigest:
    """The row digest of an import, in hex: the same wherever the same rows are."""

    import_id: str
    row_digest: str
