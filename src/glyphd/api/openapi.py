"""What FastAPI cannot derive by itself: the forms of an import's body, and the problems' schema."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from glyphd.api.problems import MEDIA_TYPE, Problem, declare
from glyphd.api.schemas import ImportProblem, Listing
from glyphd.domain.imports import OnError
from glyphd.domain.listing import DEFAULT_SCHEMA_VERSION, SCHEMA_VERSIONS
from glyphd.services.options import CAMPAIGN_LENGTH, SOURCE_LENGTH
from glyphd.services.reporting import ImportReport

_EXAMPLE_CSV = (
    "canonical_model,vram_gb,mig_support,nvlink,tdp_watts,price,score\nH100_PCIE_80GB,80,7,True,350,28450.00,71.4\n"
)
_EXAMPLE_ROW = {
    "canonical_model": "H100_PCIE_80GB",
    "vram_gb": 80,
    "mig_support": 7,
    "nvlink": True,
    "tdp_watts": 350,
    "price": 28450.00,
    "score": 71.4,
}
_LABEL = r"^[^\x00-\x1f\x7f-\x9f\s]([^\x00-\x1f\x7f-\x9f]*[^\x00-\x1f\x7f-\x9f\s])?$"


def _option(description: str, **schema: Any) -> dict[str, Any]:
    return {"description": description, "type": "string", **schema}


OPTIONS: dict[str, dict[str, Any]] = {
    "source": _option("Who the listings come from.", default="default", maxLength=SOURCE_LENGTH, pattern=_LABEL),
    "campaign_id": _option("The crawl campaign this batch belongs to.", maxLength=CAMPAIGN_LENGTH, pattern=_LABEL),
    "metadata": _option("A JSON object to keep with the import.", contentMediaType="application/json", examples=["{}"]),
    "observed_at": _option("When the crawl was made; the time of receipt when left out.", format="date-time"),
    "on_error": _option("`abort`: one rejected record fails the import.", enum=list(OnError), default="continue"),
    "schema_version": _option(
        "The row contract to check against.", enum=list(SCHEMA_VERSIONS), default=DEFAULT_SCHEMA_VERSION
    ),
}


def _parameter(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    rest = {key: value for key, value in schema.items() if key != "description"}
    return {"name": name, "in": "query", "required": False, "description": schema["description"], "schema": rest}


IMPORT_PARAMETERS = [_parameter(name, schema) for name, schema in OPTIONS.items()]


def _record() -> dict[str, Any]:
    """Describe a record loosely: what is wrong with one is an issue in the report, never an invalid request."""
    return {"type": "object", "description": "One listing; see `GET /api/schema/{version}`.", "example": _EXAMPLE_ROW}


def _json_body() -> dict[str, Any]:
    members = {**OPTIONS, "metadata": {"type": "object", "description": OPTIONS["metadata"]["description"]}}
    records = {"type": "array", "minItems": 1, "items": _record()}
    batch = {
        "type": "object",
        "required": ["listings"],
        "properties": {**members, "listings": records},
        "additionalProperties": False,
    }
    file = {
        "type": "object",
        "required": ["content"],
        "properties": {
            **members,
            "filename": {"type": "string", "maxLength": 255},
            "content": {"type": "string", "minLength": 1, "description": "The file's text."},
        },
        "additionalProperties": False,
    }
    return {"schema": {"oneOf": [records, batch, file]}, "example": {"source": "wamatek", "listings": [_EXAMPLE_ROW]}}


def _form_body() -> dict[str, Any]:
    file = {"type": "string", "format": "binary", "description": "The file to import."}
    schema = {
        "type": "object",
        "required": ["file"],
        "properties": {"file": file, **OPTIONS},
        "additionalProperties": False,
    }
    return {"schema": schema}


IMPORT_BODY = {
    "required": True,
    "content": {
        "multipart/form-data": _form_body(),
        "text/csv": {"schema": {"type": "string"}, "example": _EXAMPLE_CSV},
        "application/json": _json_body(),
    },
}


IMPORT_RESPONSES: dict[int | str, dict[str, Any]] = {
    202: {
        "model": ImportReport,
        "description": "Received; not finished within the wait. `Location` tells where it will be.",
    },
    **declare(400, 409, 413, 415, 429, 500, 503, 507),
    422: {
        "description": "The request names something that is not accepted, or the import failed.",
        "content": {
            MEDIA_TYPE: {
                "schema": {
                    "anyOf": [
                        {"$ref": "#/components/schemas/ImportProblem"},
                        {"$ref": "#/components/schemas/Problem"},
                    ]
                }
            }
        },
    },
}


def install(app: FastAPI) -> None:
    """Complete the OpenAPI document, once."""

    def document() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _document(app)
        return app.openapi_schema

    app.openapi = document  # type: ignore[method-assign]


def _document(app: FastAPI) -> dict[str, Any]:
    found = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
    schemas = found.setdefault("components", {}).setdefault("schemas", {})
    for model in (Problem, ImportProblem, Listing):
        described = model.model_json_schema(ref_template="#/components/schemas/{model}")
        schemas.update(described.pop("$defs", {}))
        schemas[model.__name__] = described
    return found
