"""Shapes of the HTTP API that are no service's own: pages, parameters, and the listing made from the row contract."""

from datetime import datetime
from typing import Annotated, Any, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field, create_model

from glyphd.api.problems import Problem
from glyphd.domain import listing
from glyphd.domain.imports import ImportSort, PublishMode, Status
from glyphd.domain.listing import SCHEMA_VERSIONS, FieldType
from glyphd.domain.report import RecordError, RejectionVariant

T = TypeVar("T")

VersionName = Annotated[str, Field(json_schema_extra={"enum": list(SCHEMA_VERSIONS)})]

Text = Annotated[str, Field(min_length=1, max_length=256, pattern=r"^[^\x00]*$")]
Moment = Annotated[
    str,
    Field(min_length=1, max_length=64, json_schema_extra={"format": "date-time"}, examples=["2026-07-01T00:00:00Z"]),
]
Members = Annotated[str, Field(min_length=2, max_length=4096, examples=['{"run":"7"}'])]
ImportName = Annotated[str, Field(min_length=1, max_length=128, json_schema_extra={"format": "uuid"})]
Price = Annotated[float, Field(ge=0, le=1e12, allow_inf_nan=False)]
Score = Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)]
Cursor = Annotated[str, Field(max_length=512)]
_CURSOR = "Where the page before ended; from `next` or `Link`."
Limit = Annotated[int, Field(ge=1, le=1000)]

_JSON_TYPES: dict[FieldType, Any] = {
    FieldType.TEXT: str,
    FieldType.URL: str,
    FieldType.INTEGER: int,
    FieldType.NUMBER: float,
    FieldType.BOOLEAN: bool,
    FieldType.TIMESTAMP: datetime,
}


def _field(field: listing.Field) -> Any:
    unit = f" ({field.unit})" if field.unit else ""
    default: Any = ... if field.since == SCHEMA_VERSIONS[0] else None  # not there in answers for earlier versions
    return (_JSON_TYPES[field.type] | None, Field(default, description=f"{field.description}{unit}"))


Listing = create_model(
    "Listing",
    __doc__="One scored offer of a GPU, and where it came from.",
    id=(int, Field(description="Row number in the table.")),
    import_id=(str, Field(description="The import it came with.")),
    import_index=(int, Field(description="1-based position in the submitted batch.")),
    listing_key=(str, Field(description="By what the offer is recognised in other imports: 16 hex digits.")),
    created_at=(datetime | None, Field(description="When the row was written (UTC).")),
    **{field.name: _field(field) for field in listing.FIELDS},
)


class Page(BaseModel, Generic[T]):
    """One page of a collection; `next` is the cursor of the page after it, null on the last one."""

    items: list[T]
    next: str | None


class Parameters(BaseModel):
    """Query parameters; a name that is not known is an error, since a filter that is not understood hides nothing."""

    model_config = ConfigDict(extra="forbid")


class ListingParameters(Parameters):
    """Filters of `GET /api/listings`."""

    import_id: ImportName | None = Field(None, description="Only this import's rows, staged ones included.")
    source: Text | None = Field(None, description="Only imports of this source.")
    model: Text | None = Field(None, description="Exact, but for case, spaces, `-` and `_`.")
    min_price: Price | None = Field(None, description="USD, inclusive.")
    max_price: Price | None = Field(None, description="USD, inclusive.")
    min_score: Score | None = Field(None, description="Inclusive.")
    max_score: Score | None = Field(None, description="Inclusive.")
    region: Text | None = Field(None, description="Exact.")
    seller: Text | None = Field(None, description="Exact.")
    condition: Text | None = Field(None, description="Exact.")
    after: Moment | None = Field(None, description="`seen_at` at or after this moment (ISO 8601).")
    before: Moment | None = Field(None, description="`seen_at` before this moment (ISO 8601).")
    current: bool = Field(
        default=False, description="Only the current view: of each source its latest published batch."
    )
    as_of: Moment | None = Field(None, description="Only what that view was for batches observed until then.")
    q: Text | None = Field(None, description="Text found in model, seller, notes, region or URL, ignoring case.")
    schema_version: VersionName | None = Field(
        None, description="Only the fields of this row contract; all by default."
    )
    format: Annotated[str, Field(pattern="^(json|csv|ndjson|parquet)$")] = Field(
        "json", description="But for `json`: a file of all that match, with where each came from, and without paging."
    )
    limit: Limit = Field(100, description="Listings a page.")
    offset: int = Field(0, ge=0, le=2**53, description="Listings to skip.")
    cursor: Cursor | None = Field(None, description=_CURSOR)


class ImportParameters(Parameters):
    """Filters of `GET /api/imports`."""

    source: Text | None = Field(None, description="Only this source.")
    parent_import_id: ImportName | None = Field(None, description="Only replays and amendments of this batch.")
    campaign_id: Text | None = Field(None, description="Only this crawl campaign.")
    metadata: Members | None = Field(
        None, description="Only imports whose metadata holds the members of this JSON object; scalar values."
    )
    status: list[Status] = Field([], description="Only these states; may be repeated.", max_length=8)
    visible: bool = Field(default=False, description="Only those whose rows are read without naming them.")
    since: Moment | None = Field(None, description="Received at or after this moment (ISO 8601).")
    until: Moment | None = Field(None, description="Received before this moment (ISO 8601).")
    sort: ImportSort = Field(
        ImportSort.NEWEST,
        description="`-`: the greatest first. A cursor goes with the order it was given in.",
    )
    limit: Limit = Field(50, description="Imports a page.")
    cursor: Cursor | None = Field(None, description=_CURSOR)


class ModelParameters(Parameters):
    """Of what the models are, how many, and from where."""

    source: Text | None = Field(None, description="Only this source's market.")
    as_of: Moment | None = Field(None, description="The view of batches observed until then; the current one without.")
    limit: Limit = Field(1000, description="Models a page.")
    cursor: Cursor | None = Field(None, description=_CURSOR)


class PageParameters(Parameters):
    """How much of a collection, and from where."""

    limit: Limit = Field(100, description="Items a page.")
    cursor: Cursor | None = Field(None, description=_CURSOR)


class ReplayParameters(Parameters):
    """How a batch is imported again."""

    publish: PublishMode = Field(PublishMode.AUTO, description="`hold`: leave it staged, for a person to publish.")
    schema_version: VersionName | None = Field(
        None, description="The row contract to check against; the batch's own when left out."
    )


class RejectionParameters(PageParameters):
    """How the rejections are wanted."""

    variant: RejectionVariant = Field(
        RejectionVariant.ROUNDTRIP,
        description="Of the CSV. `roundtrip`: the cells as they came; `spreadsheet`: none of them a formula.",
    )

    format: Annotated[str, Field(pattern="^(json|csv)$")] = Field(
        "json", description="`csv`: all of them, with their original columns, to fix and send again."
    )


class Reason(BaseModel):
    """Why somebody changes the state of an import."""

    model_config = ConfigDict(extra="forbid")

    reason: Annotated[str, Field(max_length=1000, pattern=r"^[^\x00]*$")] | None = None


class ImportProblem(Problem):
    """Why an import that was received did not end published."""

    import_id: str
    received: int
    count: int
    rejected: int
    errors: list[RecordError]
    error_counts: dict[str, int]
    errors_truncated: bool


class Health(BaseModel):
    """Whether the service is well."""

    status: str
