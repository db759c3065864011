"""Errors: every one is a problem (RFC 9457), whoever raises it, and every `type` resolves."""

import io
import json
import sys
import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from glyphd.api.problems import STATUS_OF_KIND
from glyphd.artifacts.folder import ArtifactFolder
from glyphd.domain.listing import FIELDS, SCHEMA_VERSIONS
from glyphd.errors import NoSpaceLeft, problem_types
from glyphd.services import browsing, reporting
from glyphd.settings import Settings
from tests.engines import Databases

CSV = {"Content-Type": "text/csv"}


def problem_of(answer: httpx.Response) -> tuple[int, str]:
    """Return status and code of an answer that must be a problem of the one shape."""
    problem = answer.json()
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert ["type", "title", "status", "detail", "code"] == list(problem)[:5]
    assert (problem["status"], problem["type"]) == (answer.status_code, f"/problems/{problem['code']}")
    assert answer.headers["X-Request-ID"]
    return answer.status_code, problem["code"]


def read_log(log: io.StringIO, request_id: str) -> list[dict[str, Any]]:
    """Return what was logged of a request, once it is complete: the line of the request comes after its answer."""
    found: list[dict[str, Any]] = []
    deadline = time.monotonic() + 10
    while "request" not in {line["event"] for line in found} and time.monotonic() < deadline:
        lines = [json.loads(line) for line in log.getvalue().splitlines(keepends=True) if line.endswith("\n")]
        found = [line for line in lines if line.get("request_id") == request_id]
        time.sleep(0.01)
    return found


@pytest.mark.parametrize("path", ["/api", "/nope", "/api/imports/a/b/c", "/api/import/nothing", "/%00", "/a%2F..%2Fb"])
def test_an_unknown_path(shared_api: httpx.Client, path: str) -> None:
    """A 404 of the one shape."""
    assert (404, "route_not_found") == problem_of(shared_api.get(path))


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/api/import", "POST"),
        ("DELETE", "/api/imports", "GET"),
        ("PUT", "/api/listings", "GET"),
        ("POST", "/api/health", "GET"),
        ("GET", "/api/imports/x/discard", "POST"),
        ("PATCH", "/problems/queue_full", "GET"),
    ],
)
def test_a_method_that_the_path_does_not_take(shared_api: httpx.Client, method: str, path: str, allowed: str) -> None:
    """A 405 that says what it does take."""
    answer = shared_api.request(method, path)

    assert (405, "method_not_allowed") == problem_of(answer)
    assert allowed == answer.headers["Allow"]


@pytest.mark.parametrize("code", sorted(problem_types()))
def test_the_type_of_every_problem_resolves(shared_api: httpx.Client, code: str) -> None:
    """Its page says what it means."""
    answer = shared_api.get(f"/problems/{code}")

    assert (200, "text/html; charset=utf-8") == (answer.status_code, answer.headers["Content-Type"])
    assert code in answer.text
    assert str(STATUS_OF_KIND[problem_types()[code].kind]) in answer.text


def test_a_problem_type_that_is_none(shared_api: httpx.Client) -> None:
    """Its page is not found, and markup in its name stays text."""
    assert (404, "route_not_found") == problem_of(shared_api.get("/problems/<script>"))


@pytest.mark.parametrize("path", ["/api/health", "/livez", "/readyz"])
def test_health(shared_api: httpx.Client, path: str) -> None:
    """`health` keeps what clients know."""
    assert (200, {"status": "ok"}) == (shared_api.get(path).status_code, shared_api.get(path).json())


def test_the_row_contract_is_served(shared_api: httpx.Client) -> None:
    """Every supported schema version, as JSON Schema; an unknown one lists them."""
    versions = shared_api.get("/api/schema/versions").json()
    schemas = [shared_api.get(f"/api/schema/{version}").json() for version in versions["supported"]]
    missing = shared_api.get("/api/schema/v9")

    assert {"default": "v1.1", "supported": list(SCHEMA_VERSIONS)} == versions
    assert [7, len(FIELDS)] == [len(schema["properties"]) for schema in schemas]
    assert (404, "schema_version_not_found") == problem_of(missing)
    assert list(SCHEMA_VERSIONS) == missing.json()["supported"]


def test_a_fault_of_the_service(make_api: Callable[..., httpx.Client], monkeypatch: pytest.MonkeyPatch) -> None:
    """A 500 that tells nothing of the inside, under the id by which the log tells everything but values."""

    def broken(*_: Any, **__: Any) -> None:
        secret = "SECRET-VALUE"
        raise RuntimeError(secret)

    # not capfd: what another thread writes while it is read is lost
    monkeypatch.setattr(sys, "stderr", log := io.StringIO())
    monkeypatch.setattr(browsing, "browse_listings", broken)
    api = make_api(worker=False)

    answer = api.get("/api/listings", headers={"X-Request-ID": "find-me"})
    logged = read_log(log, "find-me")

    assert (500, "unexpected_failure") == problem_of(answer)
    assert "find-me" == answer.headers["X-Request-ID"]
    assert [("request.unexpected", "find-me"), ("request", "find-me")] == [
        (line["event"], line["request_id"]) for line in logged
    ]
    assert "builtins.RuntimeError" == logged[0]["traceback"][0]["type"]
    assert 500 == logged[1]["status"]
    assert "SECRET" not in answer.text + json.dumps(logged)


def test_a_database_that_is_gone(
    make_api: Callable[..., httpx.Client], make_settings: Callable[..., Settings], databases: Databases
) -> None:
    """503 with `Retry-After`; the process still says that it lives."""
    api = make_api(worker=False)
    databases.spoil(make_settings().database_url)

    answer = api.get("/api/imports")

    assert (503, "store_unavailable") == problem_of(answer)
    assert "5" == answer.headers["Retry-After"]
    assert (503, 200) == (api.get("/readyz").status_code, api.get("/livez").status_code)


def test_a_full_disk(make_api: Callable[..., httpx.Client], monkeypatch: pytest.MonkeyPatch, sample: bytes) -> None:
    """507, and no import."""

    def full(*_: Any) -> None:
        raise NoSpaceLeft("The artifact store is full.")

    monkeypatch.setattr(ArtifactFolder, "writing", full)
    api = make_api(worker=False)

    assert (507, "no_space_left") == problem_of(api.post("/api/import", content=sample, headers=CSV))
    assert [] == api.get("/api/imports").json()["items"]


def test_a_damaged_artifact(
    make_api: Callable[..., httpx.Client], make_settings: Callable[..., Settings], sample: bytes
) -> None:
    """A file that is gone from the artifact store is a 500 that says so."""
    api = make_api(worker=False, wait_seconds=0)
    report = api.post("/api/import", content=sample, headers=CSV).json()
    sha256 = report["artifacts"][0]["sha256"]
    (make_settings().artifacts_folder / sha256[:2] / sha256).unlink()

    assert (500, "artifact_damaged") == problem_of(api.get(report["links"]["artifact"]))


def test_an_import_that_a_fault_ended(
    make_api: Callable[..., httpx.Client], monkeypatch: pytest.MonkeyPatch, sample: bytes
) -> None:
    """A fault while running is a 500 that carries the import, which stays failed with its reason."""

    def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError

    monkeypatch.setattr("glyphd.services.running.audit_import", broken)
    api = make_api()

    answer = api.post("/api/import", content=sample, headers=CSV)
    report = api.get(f"/api/imports/{answer.json()['import_id']}").json()

    assert (500, "unexpected_failure") == problem_of(answer)
    assert ("failed", "unexpected_failure") == (report["status"], report["failure"]["code"])


def test_a_client_that_is_told_of_a_discard(
    make_api: Callable[..., httpx.Client], monkeypatch: pytest.MonkeyPatch, sample: bytes
) -> None:
    """Whoever waits for an import that is discarded meanwhile gets a 409 with its id."""
    api = make_api(worker=False, wait_seconds=30)
    pending = reporting.is_pending

    def discarded_meanwhile(context: Any, import_id: str) -> bool:
        api.post(f"/api/imports/{import_id}/discard")
        return pending(context, import_id)

    monkeypatch.setattr("glyphd.api.importing.is_pending", discarded_meanwhile)

    answer = api.post("/api/import", content=sample, headers=CSV)

    assert (409, "import_discarded") == problem_of(answer)
    assert "discarded" == api.get(f"/api/imports/{answer.json()['import_id']}").json()["status"]
