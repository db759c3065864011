"""The OpenAPI document: complete, and what the service really does (schemathesis)."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from glyphd.errors import problem_types

CONFIGURATION = Path(__file__).with_name("schemathesis.toml")
EXAMPLES_EACH = 15
PROBLEM = "application/problem+json"


@pytest.fixture(scope="module")
def document(shared_api: httpx.Client) -> dict[str, Any]:
    """The document as it is served."""
    served: dict[str, Any] = shared_api.get("/api/openapi.json").json()
    return served


def operations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every operation by its name."""
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield f"{method.upper()} {path}", operation


EXPECTED_STATUSES = {
    "POST /api/import": {201, 202, 400, 409, 413, 415, 422, 429, 500, 503, 507},
    "POST /api/imports/from-pipeline": {201, 202, 400, 409, 413, 415, 422, 429, 500, 503, 507},
    "POST /api/import/validate": {200, 400, 409, 413, 415, 422, 500, 503, 507},
    "POST /api/imports/from-pipeline/validate": {200, 400, 409, 413, 415, 422, 500, 503, 507},
    "GET /api/imports": {200, 422, 500, 503},
    "GET /api/imports/{import_id}": {200, 404, 422, 500, 503},
    "GET /api/imports/{import_id}/diff": {200, 404, 409, 422, 500, 503},
    "GET /api/imports/{import_id}/digest": {200, 404, 422, 500, 503},
    "GET /api/imports/{import_id}/rejections": {200, 404, 422, 500, 503},
    "GET /api/imports/{import_id}/artifact": {200, 206, 404, 416, 422, 500, 503},
    "GET /api/imports/{import_id}/events": {200, 404, 422, 500, 503},
    "POST /api/imports/{import_id}/discard": {200, 400, 404, 409, 413, 415, 422, 500, 503},
    "POST /api/imports/{import_id}/publish": {200, 400, 404, 409, 413, 415, 422, 500, 503},
    "POST /api/imports/{import_id}/rollback": {200, 400, 404, 409, 413, 415, 422, 500, 503},
    "POST /api/imports/{import_id}/restore": {200, 400, 404, 409, 413, 415, 422, 500, 503},
    "POST /api/imports/{import_id}/replay": {201, 202, 400, 404, 409, 413, 415, 422, 429, 500, 503, 507},
    "GET /api/sources": {200, 500, 503},
    "GET /api/report": {200, 404, 409, 422, 500, 503},
    "GET /api/listings": {200, 404, 422, 500, 503},
    "GET /api/listings/{import_id}/{import_index}/lineage": {200, 404, 422, 500, 503},
    "GET /api/listings/{listing}/lineage": {200, 404, 422, 500, 503},
    "GET /api/models": {200, 422, 500, 503},
    "GET /api/models/{model}/history": {200, 422, 500, 503},
    "GET /api/listings/{listing_key}/history": {200, 422, 500, 503},
    "GET /api/deltas": {200, 422, 500, 503},
    "GET /api/schema/versions": {200, 500},
    "GET /api/schema/{version}": {200, 404, 500},
    "GET /problems/{code}": {200, 404, 500},
    "GET /api/health": {200, 500},
    "GET /livez": {200, 500},
    "GET /readyz": {200, 500, 503, 507},
}


def test_every_answer_is_declared(document: dict[str, Any]) -> None:
    """Each operation declares the statuses that it can answer, and no other."""
    for_everyone = {"GET /api/health", "GET /livez", "GET /readyz"}
    expected = {name: every if name in for_everyone else every | {401} for name, every in EXPECTED_STATUSES.items()}

    assert expected == {
        name: {int(status) for status in operation["responses"]} for name, operation in operations(document)
    }


def test_every_problem_is_declared_with_examples(document: dict[str, Any]) -> None:
    """Errors have one media type, a schema and an example of each type; together they are all types of the API."""
    declared = set()
    for name, operation in operations(document):
        for status, response in operation["responses"].items():
            if int(status) < 400:
                continue
            assert [PROBLEM] == list(response["content"]), name
            content = response["content"][PROBLEM]
            assert "Problem" in json.dumps(content["schema"])
            for code, example in content["examples"].items():
                assert (code, int(status)) == (example["value"]["code"], example["value"]["status"])
                declared.add(code)
    never_over_http = {"error", "file_fault", "method_not_allowed", "lease_lost", "migration_failed"}
    never_over_http |= {"copy_refused", "copy_differs"}
    never_over_http |= {"server_unreachable", "unexpected_answer", "unknown_problem"}  # of who asks
    never_over_http |= {"form_expired", "upload_not_found"}  # of pages of the console

    assert set(problem_types()) - never_over_http == declared


def test_no_default_of_the_framework_is_left(document: dict[str, Any]) -> None:
    """FastAPI's own validation error is not what this service answers."""
    assert "HTTPValidationError" not in json.dumps(document)


def test_every_reference_resolves(document: dict[str, Any]) -> None:
    """Nothing refers to a schema that is not there, and no schema is there that nothing refers to."""
    named = set(re.findall(r'"#/components/schemas/([^"]+)"', json.dumps(document)))

    assert set(document["components"]["schemas"]) == named


def test_every_answer_has_a_schema_and_every_operation_a_description(document: dict[str, Any]) -> None:
    """Nothing is left for the reader to guess."""
    for name, operation in operations(document):
        assert operation["summary"], name
        assert operation["description"], name
        assert all(parameter["description"] for parameter in operation.get("parameters", [])), name
        for response in operation["responses"].values():
            assert all("schema" in content for content in response["content"].values()), name
            assert "X-Request-ID" in response["headers"]


DISCARD = """
[[operations]]
include-path = "/api/imports/{{import_id}}/discard"
[operations.parameters]
# The client that submits a batch waits for its outcome, so nothing generated is left to discard: one that is there.
"path.import_id" = "{import_id}"
"""


def test_schemathesis_runs_clean(api: httpx.Client, sample: bytes, tmp_path: Path) -> None:
    """Generated requests of all phases pass every check; what had to be configured is in schemathesis.toml."""
    report = api.post("/api/import", files={"file": ("scored_sample.csv", sample)}).json()
    configuration = tmp_path / "schemathesis.toml"
    configuration.write_text(CONFIGURATION.read_text() + DISCARD.format(import_id=report["import_id"]))
    command = [sys.executable, "-m", "schemathesis.cli", "--config-file", str(configuration), "run"]
    command += [f"{api.base_url}/api/openapi.json", "--checks", "all", "--seed", "1", "--no-color"]
    command += ["--max-examples", str(EXAMPLES_EACH), "--generation-database", "none"]

    run = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False, timeout=600)

    assert run.returncode == 0, run.stdout + run.stderr
