"""The row contract, and the pages that problem types resolve to."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Response

from glyphd.api import answers
from glyphd.api.problems import declare
from glyphd.domain.contract_schema import json_schema
from glyphd.domain.listing import DEFAULT_SCHEMA_VERSION, SCHEMA_VERSIONS
from glyphd.domain.report import SchemaVersions
from glyphd.errors import RouteNotFound, SchemaVersionNotFound, problem_types

router = APIRouter(tags=["contract"])


@router.get("/api/schema/versions")
def get_schema_versions() -> SchemaVersions:
    """List the schema versions that a batch may name."""
    return SchemaVersions(default=DEFAULT_SCHEMA_VERSION, supported=list(SCHEMA_VERSIONS))


@router.get("/api/schema/{version}", responses=declare(SchemaVersionNotFound))
def get_schema(
    version: Annotated[str, Path(description="Such as `v1.1`.", json_schema_extra={"enum": list(SCHEMA_VERSIONS)})],
) -> dict[str, Any]:
    """Return the row contract of one schema version as JSON Schema."""
    if version not in SCHEMA_VERSIONS:
        raise SchemaVersionNotFound(f"There is no schema version {version!r}.", supported=list(SCHEMA_VERSIONS))
    return json_schema(version)


@router.get(
    "/problems/{code}",
    response_class=Response,
    responses={200: {"content": {"text/html": {"schema": {"type": "string"}}}}, **declare(RouteNotFound)},
)
def get_problem_type(
    code: Annotated[str, Path(description="A problem's `code`.", json_schema_extra={"enum": sorted(problem_types())})],
) -> Response:
    """Say in a page what a problem type means; the `type` of every problem resolves to it."""
    return answers.problem_page(code)
