"""What `POST /api/import` takes and answers, which FastAPI cannot derive: the route streams its body."""

from collections.abc import Sequence
from typing import Any

from glyphd import errors
from glyphd.api import examples
from glyphd.api.idempotency import EXPIRES_HEADER, KEY_HEADER, KEY_PATTERN
from glyphd.api.problems import declare
from glyphd.domain.imports import OnError, PublishMode
from glyphd.domain.listing import DEFAULT_SCHEMA_VERSION, SCHEMA_VERSIONS
from glyphd.domain.report import ImportReport
from glyphd.services.options import CAMPAIGN_LENGTH, ID_LENGTH, MOST_PRICE_MOVE, MOST_ROWS, SOURCE_LENGTH

_LABEL = r"^[^\x00-\x1f\x7f-\x9f\s]([^\x00-\x1f\x7f-\x9f]*[^\x00-\x1f\x7f-\x9f\s])?$"
_METADATA = {"type": "object", "description": "A JSON object to keep with the import."}


def _option(description: str, **schema: Any) -> dict[str, Any]:
    return {"description": description, "type": "string", **schema}


def _gate(description: str, **schema: Any) -> dict[str, Any]:
    said = f"{description} One that fails leaves the import staged."
    return {"description": said, "minimum": 0, **schema}


OPTIONS: dict[str, dict[str, Any]] = {
    "source": _option(
        "Who the listings come from; pipelines may call it `source_label`.",
        default="default",
        maxLength=SOURCE_LENGTH,
        pattern=_LABEL,
    ),
    "campaign_id": _option("The crawl campaign this batch belongs to.", maxLength=CAMPAIGN_LENGTH, pattern=_LABEL),
    "metadata": _METADATA,
    "observed_at": _option(
        "When the crawl was made, at most 24 h ahead; the time of receipt when left out.",
        format="date-time",
        examples=["2026-11-20T08:00:00Z"],
    ),
    "on_error": _option("`abort`: one rejected record fails the import.", enum=list(OnError), default="continue"),
    "schema_version": _option(
        "The row contract to check against.", enum=list(SCHEMA_VERSIONS), default=DEFAULT_SCHEMA_VERSION
    ),
    "publish": _option(
        "`hold`: leave the import staged, for a person to publish.", enum=list(PublishMode), default="auto"
    ),
    "parent_import_id": _option(
        "The batch whose rejected records this mends: the import becomes its amendment.",
        minLength=1,
        maxLength=ID_LENGTH,
        pattern=_LABEL,
    ),
    "max_reject_rate": _gate("Gate: at most this share of the records may be rejected.", type="number", maximum=1),
    "max_price_move": _gate(
        "Gate: prices may be at most this far from those of the source's latest published batch, as a share: "
        "the median over the models of both of |median price / earlier median price - 1|.",
        type="number",
        maximum=MOST_PRICE_MOVE,
    ),
    "min_rows": _gate("Gate: at least so many rows must be stored.", type="integer", maximum=MOST_ROWS),
}


def parameter(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    """Describe an option as a query parameter."""
    rest = {key: value for key, value in schema.items() if key != "description"}
    said: dict[str, Any] = (
        {"schema": rest} if name != "metadata" else {"content": {"application/json": {"schema": rest}}}
    )
    return {"name": name, "in": "query", "required": False, "description": schema["description"], **said}


def _header(name: str, description: str, **schema: Any) -> dict[str, Any]:
    said = {"type": "string", **schema}
    return {"name": name, "in": "header", "required": False, "description": description, "schema": said}


RETRY_HEADERS = [
    _header(
        KEY_HEADER,
        "Makes a request that is sent again, with the same key, bytes and options, lead to the import that the first "
        "one made; an RFC 8941 string, its quotes may be left out. A key has its import for `GLYPHD_IDEMPOTENCY_HOURS`,"
        f" as `{EXPIRES_HEADER}` says; the keys of an installation are one namespace.",
        pattern=KEY_PATTERN,
        examples=['"8e03978e-40d5-43dd-bc93-6894a57f9324"'],
    ),
    _header(
        "Prefer",
        "RFC 7240: `respond-async`: answer 202 as soon as the batch is received; `wait=N`: after at most N seconds.",
        examples=["respond-async", "wait=10"],
    ),
]
OPTION_PARAMETERS = [parameter(name, schema) for name, schema in OPTIONS.items()]
IMPORT_PARAMETERS = [*OPTION_PARAMETERS, *RETRY_HEADERS]


def json_object(required: Sequence[str], properties: dict[str, Any]) -> dict[str, Any]:
    """Describe an object, or a form, that has these members and no other."""
    return {"type": "object", "required": [*required], "properties": properties, "additionalProperties": False}


def _json_body() -> dict[str, Any]:
    """Describe records loosely: what is wrong with one is an issue in the report, never an invalid request."""
    record = {
        "type": "object",
        "description": "One listing; see `GET /api/schema/{version}`.",
        "examples": [examples.RECORD],
    }
    records = {"type": "array", "minItems": 1, "items": record}
    name = {"type": "string", "maxLength": 255, "examples": ["scored_sample.csv"]}
    text = {"type": "string", "minLength": 1, "description": "The file's text.", "examples": [examples.CSV]}
    batch = json_object(["listings"], {**OPTIONS, "listings": records})
    file = json_object(["content"], {**OPTIONS, "filename": name, "content": text})
    return {
        "schema": {"oneOf": [records, batch, file]},
        "examples": {
            "array": {"summary": "Listings", "value": [examples.RECORD]},
            "batch": {"summary": "With options", "value": {"source": "wamatek", "listings": [examples.RECORD]}},
            "file": {"summary": "A file's text", "value": {"filename": "scored_sample.csv", "content": examples.CSV}},
        },
    }


def _form_body() -> dict[str, Any]:
    file = {"type": "string", "format": "binary", "description": "The file to import."}
    return {
        "schema": json_object(["file"], {"file": file, **OPTIONS}),
        "encoding": {"file": {"contentType": "text/csv, application/json, application/octet-stream"}},
    }


IMPORT_BODY = {
    "required": True,
    "content": {
        "multipart/form-data": _form_body(),
        "text/csv": {"schema": {"type": "string"}, "example": examples.CSV},
        "application/json": _json_body(),
    },
}

_FILE_FAULTS = sorted(errors.FileFault.__subclasses__(), key=lambda fault: fault.code)
_CONTENT_FAULTS = [fault for fault in _FILE_FAULTS if fault.kind is errors.FileFault.kind]
_UNREADABLE = (
    errors.MalformedRequest,
    errors.IncompleteBody,
    errors.BodyTooLarge,
    errors.UnsupportedFormat,
    errors.NoSpaceLeft,
    errors.WorkerDied,
    errors.CountsDisagree,
)
_UNACCEPTED = (
    errors.InvalidParameter,
    errors.ConflictingOptions,
    errors.UnsupportedSchemaVersion,
    errors.MissingFile,
)
_REFUSALS = declare(*_UNACCEPTED, errors.IdempotencyKeyReused, *_CONTENT_FAULTS)
_REFUSALS[422]["content"]["application/problem+json"]["schema"] = {
    "anyOf": [{"$ref": "#/components/schemas/ImportProblem"}, {"$ref": "#/components/schemas/Problem"}]
}

IMPORT_RESPONSES: dict[int | str, dict[str, Any]] = {
    201: {"description": "Imported; partial success included: what was rejected is in the report."},
    202: {
        "model": ImportReport,
        "description": "Received; not finished within the wait. `Location` tells where the report will be.",
    },
    **declare(
        *_UNREADABLE,
        errors.MalformedIdempotencyKey,
        errors.IdempotencyKeyInFlight,
        errors.ImportDiscarded,
        errors.IllegalTransition,
        errors.QueueFull,
        errors.DecodedTooLarge,
        errors.ArtifactDamaged,
    ),
    **_REFUSALS,
}

VALIDATION_RESPONSES: dict[int | str, dict[str, Any]] = declare(*_UNREADABLE, errors.IllegalTransition, *_UNACCEPTED)

REPLAY_RESPONSES: dict[int | str, dict[str, Any]] = {
    **IMPORT_RESPONSES,
    **declare(
        errors.ImportNotFound,
        errors.IdempotencyKeyInFlight,
        errors.IllegalTransition,
        errors.NothingToReplay,
        errors.ImportDiscarded,
        errors.BodyTooLarge,
        errors.UnsupportedFormat,
    ),
}

REASON_BODY = {
    "required": False,
    "content": {
        "application/json": {
            "schema": {"anyOf": [{"$ref": "#/components/schemas/Reason"}, {"type": "null"}]},
            "example": {"reason": "the crawl stopped half way"},
        }
    },
}
