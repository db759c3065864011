"""What FastAPI leaves out of the OpenAPI document: problems that any operation may answer, headers, examples."""

from collections.abc import Iterator
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from glyphd.api import examples, lineage_examples
from glyphd.api.idempotency import EXPIRES_HEADER, REPLAYED_HEADER
from glyphd.api.problems import Problem, declare
from glyphd.api.schemas import ImportProblem, Listing, Reason
from glyphd.errors import GlyphdError, StoreUnavailable, Unauthorized, UnexpectedFailure, problem_types

_FASTAPI_DEFAULTS = ("HTTPValidationError", "ValidationError")
_FOR_EVERYONE = ("/api/health", "/livez", "/readyz")
_WITHOUT_STORE = ("/api/health", "/livez", "/api/schema/", "/problems/")
_PAGED = (
    "/api/imports",
    "/api/imports/{import_id}/diff",
    "/api/imports/{import_id}/rejections",
    "/api/imports/{import_id}/events",
)
_HISTORIES = ("/api/models/{model}/history", "/api/listings/{listing_key}/history", "/api/deltas")
_LINKED = (*_PAGED, *_HISTORIES, "/api/listings", "/api/models")

_LINKED_READS = (
    ("get", "/api/imports/{import_id}"),
    ("get", "/api/imports/{import_id}/rejections"),
    ("get", "/api/imports/{import_id}/artifact"),
    ("get", "/api/imports/{import_id}/events"),
    ("get", "/api/imports/{import_id}/diff"),
    ("post", "/api/imports/{import_id}/discard"),
    ("post", "/api/imports/{import_id}/rollback"),
)

_PENDING = {
    **examples.REPORT,
    **dict.fromkeys(("completed_at", "duration_ms", "published_at", "price_range", "score_range"), None),
    "status": "received",
    "received": 0,
    "count": 0,
    "rejected": 0,
    "warning_counts": {},
    "error_counts": {},
    "errors": [],
    "top_models": [],
    "progress": examples.WAITING,
}
_DISCARDED = {**_PENDING, "status": "discarded", "completed_at": "2026-11-20T09:00:01Z", "progress": None}

EXAMPLES: dict[tuple[str, str, str], Any] = {
    ("post", "/api/import", "201"): examples.REPORT,
    ("post", "/api/import", "202"): _PENDING,
    ("post", "/api/imports/from-pipeline", "201"): examples.PIPELINE_REPORT,
    ("post", "/api/imports/from-pipeline", "202"): _PENDING,
    ("post", "/api/import/validate", "200"): examples.VALIDATION,
    ("post", "/api/imports/from-pipeline/validate", "200"): examples.VALIDATION,
    ("get", "/api/imports", "200"): examples.page(examples.REPORT),
    ("get", "/api/imports/{import_id}", "200"): examples.REPORT,
    ("get", "/api/imports/{import_id}/rejections", "200"): examples.page(examples.REJECTION),
    ("get", "/api/imports/{import_id}/events", "200"): examples.page(examples.EVENT),
    ("post", "/api/imports/{import_id}/discard", "200"): _DISCARDED,
    ("get", "/api/imports/{import_id}/diff", "200"): lineage_examples.DIFF,
    ("get", "/api/listings/{import_id}/{import_index}/lineage", "200"): lineage_examples.LINEAGE,
    ("get", "/api/listings/{listing}/lineage", "200"): lineage_examples.LINEAGE,
    ("post", "/api/imports/{import_id}/rollback", "200"): lineage_examples.RECEIPT,
    ("get", "/api/sources", "200"): examples.page(examples.SOURCE),
    ("get", "/api/listings", "200"): [examples.LISTING],
    ("get", "/api/models", "200"): [examples.MODEL],
    ("get", "/api/models/{model}/history", "200"): lineage_examples.MODEL_HISTORY,
    ("get", "/api/listings/{listing_key}/history", "200"): examples.page(lineage_examples.SIGHTING),
    ("get", "/api/report", "200"): lineage_examples.MARKET_REPORT,
    ("get", "/api/imports/{import_id}/digest", "200"): lineage_examples.ROW_DIGEST,
    ("get", "/api/deltas", "200"): examples.page(lineage_examples.SIGHTING),
}

_ACCESS_TOKEN = {
    "type": "http",
    "scheme": "bearer",
    "description": "What `GLYPHD_API_TOKEN` is set to: writes need it, and with `GLYPHD_GUARD_READS` reads too.",
}

_HEADERS: dict[str, dict[str, Any]] = {
    "X-Request-ID": {"description": "Names the request in the server's log.", "schema": {"type": "string"}},
    "Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer"}},
    "Location": {
        "description": "Where the import's report is.",
        "schema": {"type": "string", "format": "uri-reference"},
    },
    "Link": {"description": "The next page, `rel=next`; absent on the last one.", "schema": {"type": "string"}},
    "Content-Range": {"description": "Which bytes, or how many there are.", "schema": {"type": "string"}},
    "Repr-Digest": {"description": "SHA-256 of all the bytes (RFC 9530).", "schema": {"type": "string"}},
    "ETag": {"description": "The SHA-256 in hex.", "schema": {"type": "string"}},
    EXPIRES_HEADER: {
        "description": "Until when the idempotency key leads to this import.",
        "schema": {"type": "string", "format": "date-time"},
    },
    REPLAYED_HEADER: {
        "description": "`true`: an earlier request with this key made the import.",
        "schema": {"type": "string", "enum": ["true"]},
    },
    "Preference-Applied": {
        "description": "What was applied of `Prefer`: `wait`, as long as it was, and `respond-async`.",
        "schema": {"type": "string"},
    },
    "WWW-Authenticate": {"description": "`Bearer`.", "schema": {"type": "string", "enum": ["Bearer"]}},
    "Content-Disposition": {"description": "The name it was submitted under.", "schema": {"type": "string"}},
}
_IMPORTING = frozenset({"/api/import", "/api/imports/from-pipeline", "/api/imports/{import_id}/replay"})
_OF_PREFERENCES = ("Preference-Applied", EXPIRES_HEADER, REPLAYED_HEADER)
_AT_TIMES = {"Link", *_OF_PREFERENCES}
_DOWNLOAD = ("Repr-Digest", "ETag", "Content-Disposition")


def install(app: FastAPI) -> None:
    """Complete the OpenAPI document, once."""

    def document() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _document(app)
        return app.openapi_schema

    app.openapi = document  # type: ignore[method-assign] # how FastAPI says to replace it


def _document(app: FastAPI) -> dict[str, Any]:
    found = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
    schemas = found.setdefault("components", {}).setdefault("schemas", {})
    for name in _FASTAPI_DEFAULTS:
        schemas.pop(name, None)
    for model in (Problem, ImportProblem, Listing, Reason):
        described = model.model_json_schema(ref_template="#/components/schemas/{model}")
        schemas.update(described.pop("$defs", {}))
        schemas[model.__name__] = described
    for name in ("Problem", "ImportProblem"):
        schemas[name]["properties"]["code"]["enum"] = sorted(problem_types())
    for path, operations in found["paths"].items():
        for method, operation in operations.items():
            _complete(method, path, operation["responses"])
    found["components"]["securitySchemes"] = {"access_token": _ACCESS_TOKEN}
    found["security"] = [{}, {"access_token": []}]
    for status in ("201", "202"):
        found["paths"]["/api/import"]["post"]["responses"][status]["links"] = _links(found["paths"])
    return found


def _links(paths: dict[str, Any]) -> dict[str, Any]:
    """Say what can be done with the id of a new import."""
    names = [paths[path][method]["operationId"] for method, path in _LINKED_READS]
    return {name: {"operationId": name, "parameters": {"import_id": "$response.body#/import_id"}} for name in names}


def _complete(method: str, path: str, responses: dict[str, Any]) -> None:
    if "HTTPValidationError" in str(responses.get("422")):
        del responses["422"]  # FastAPI's own; what an operation answers is declared with it
    always: list[type[GlyphdError]] = [UnexpectedFailure]
    always += [] if path.startswith(_WITHOUT_STORE) else [StoreUnavailable]
    always += [] if path in _FOR_EVERYONE else [Unauthorized]
    for status, response in declare(*always).items():
        responses.setdefault(str(status), response)
    for status, response in responses.items():
        if (method, path, status) in EXAMPLES:
            response["content"]["application/json"]["example"] = EXAMPLES[method, path, status]
        said = {name: {**_HEADERS[name], "required": name not in _AT_TIMES} for name in _headers(path, status)}
        response["headers"] = said


def _headers(path: str, status: str) -> Iterator[str]:
    yield "X-Request-ID"
    if status in {"202", "429", "503", "507"}:
        yield "Retry-After"
    if status in {"201", "202"}:
        yield "Location"
    if status in {"201", "202", "422"} and path in _IMPORTING:
        yield from _OF_PREFERENCES
    if status == "200" and path in _LINKED:
        yield "Link"
    if path.endswith("/artifact") and status in {"200", "206"}:
        yield from _DOWNLOAD
    if status == "401":
        yield "WWW-Authenticate"
    if status in {"206", "416"}:
        yield "Content-Range"
