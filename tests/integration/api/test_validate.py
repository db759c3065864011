"""`POST /api/import/validate`: what an import would answer, and nothing of it stays."""

import json
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from http.client import HTTPConnection
from pathlib import Path
from select import select
from typing import Any

import httpx
import pytest

ROW = {
    "canonical_model": "H100_PCIE_80GB",
    "vram_gb": 80,
    "mig_support": 7,
    "nvlink": True,
    "tdp_watts": 350,
    "price": 28450.0,
    "score": 71.4,
}
BAD_ROW = {**ROW, "price": "Contact for Quote"}
JSON = {"Content-Type": "application/json"}


def stored_files(tmp_path: Path) -> list[Path]:
    """Return every file of the artifact store; a folder may go while it is looked at, which `Path.rglob` raises of."""
    return [Path(folder, name) for folder, _, names in os.walk(tmp_path / "glyphd" / "artifacts") for name in names]


def children_of(pid: int) -> list[int]:
    """Return the processes that a process has started, by whichever of its threads."""
    return [int(child) for path in Path(f"/proc/{pid}/task").glob("*/children") for child in path.read_text().split()]


Validators = Callable[[], list[int]]


@pytest.fixture
def validators() -> Validators:
    """Return the processes that validate for this one, without those of servers that are there already."""

    def running() -> list[int]:
        return [pid for pid in children_of(os.getpid()) if b"anyio.to_process" in _command_of(pid)]

    before = running()
    return lambda: [pid for pid in running() if pid not in before]


def _command_of(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except FileNotFoundError:
        return b""


def test_the_sample_is_reported_and_nothing_stays(api: httpx.Client, sample: bytes, tmp_path: Path) -> None:
    """Counts, issues, figures, mapping and schema versions; neither an import nor a byte is left."""
    answer = api.post("/api/import/validate", files={"file": ("scored_sample.csv", sample, "text/csv")})

    report = answer.json()
    assert (200, True, None) == (answer.status_code, report["would_import"], report["failure"])
    assert (10, 8, 2) == (report["received"], report["count"], report["rejected"])
    assert (["v1.0", "v1.1"], "v1.1", "CSV") == (report["satisfies"], report["schema_version"], report["format"])
    assert "price" == report["columns"]["price"]
    assert ([], None) == (api.get("/api/imports").json()["items"], report["duplicate_of"])
    assert [] == stored_files(tmp_path)


def test_what_would_be_a_duplicate_is_named(api: httpx.Client, sample: bytes) -> None:
    """The same bytes for the same source; for another source they are none."""
    imported = api.post("/api/import", files={"file": sample_file(sample)}).json()

    report, other = (
        api.post("/api/import/validate", params=options, files={"file": sample_file(sample)}).json()
        for options in ({}, {"source": "another"})
    )

    assert (imported["import_id"], None) == (report["duplicate_of"], other["duplicate_of"])


def sample_file(sample: bytes) -> tuple[str, bytes, str]:
    """Return the sample as a part of a form."""
    return ("scored_sample.csv", sample, "text/csv")


@pytest.mark.parametrize(
    ("records", "options", "code", "satisfies"),
    [
        ([BAD_ROW], {}, "no_valid_record", []),
        ([ROW, BAD_ROW], {"on_error": "abort"}, "rejected_records", []),
        ([], {}, "empty_file", []),
        ([{**ROW, "condition": "x" * 300}], {}, "no_valid_record", ["v1.0"]),
        ([{**ROW, "condition": "x" * 300}], {"schema_version": "v1.0"}, None, ["v1.0"]),
        ([ROW, {**ROW, "condition": "x" * 300}], {"on_error": "abort"}, "rejected_records", ["v1.0"]),
    ],
)
def test_a_batch_that_would_fail_says_with_what(
    shared_api: httpx.Client, records: list[Any], options: dict[str, str], code: str | None, satisfies: list[str]
) -> None:
    """It is no error of the request; other schema versions may take it."""
    answer = shared_api.post("/api/import/validate", params=options, json=records)

    report = answer.json()
    assert (200, code is None) == (answer.status_code, report["would_import"])
    assert code == (report["failure"] or {}).get("code")
    assert satisfies == report["satisfies"]


@pytest.mark.parametrize(
    ("request_of", "status", "code"),
    [
        ({"content": b"", "headers": JSON}, 422, "missing_file"),
        ({"content": b"{", "headers": JSON}, 400, "malformed_request"),
        ({"content": b"x", "headers": {"Content-Type": "application/pdf"}}, 415, "unsupported_format"),
        ({"json": [ROW], "params": {"on_error": "ignore"}}, 422, "invalid_parameter"),
        ({"json": {"source": "a", "listings": [ROW]}, "params": {"source": "b"}}, 422, "conflicting_options"),
        ({"json": [ROW], "params": {"schema_version": "v9"}}, 422, "unsupported_schema_version"),
        ({"files": {"other": b"x"}}, 422, "invalid_parameter"),
    ],
)
def test_a_bad_request_is_refused_as_an_import_is(
    shared_api: httpx.Client, request_of: dict[str, Any], status: int, code: str
) -> None:
    """The same problem, word for word."""
    validated, imported = (shared_api.post(path, **request_of) for path in ("/api/import/validate", "/api/import"))

    assert (status, code) == (validated.status_code, validated.json()["code"])
    assert imported.json() == validated.json()


def test_a_body_beyond_the_limit_is_refused(make_api: Callable[..., httpx.Client], tmp_path: Path) -> None:
    """413, and what had arrived is gone."""
    api = make_api(max_json_bytes=100)

    answer = api.post("/api/import/validate", content=iter([b"[" + b" " * 200 + b"]"]), headers=JSON)

    assert (413, "body_too_large") == (answer.status_code, answer.json()["code"])
    assert [] == stored_files(tmp_path)


@pytest.fixture
def started(api: httpx.Client, validators: Validators) -> Iterator[HTTPConnection]:
    """A connection on which a batch has been sent that takes seconds, once a process is at it."""
    connection = HTTPConnection(api.base_url.host, api.base_url.port or 0, timeout=60)
    connection.request("POST", "/api/import/validate", json.dumps([ROW] * 200_000), JSON)
    until(lambda: any(os.getpriority(os.PRIO_PROCESS, pid) for pid in validators()))  # it gives way once it works
    yield connection
    connection.close()


def until(holds: Callable[[], bool]) -> None:
    """Return once something holds; fail when it does not come to that."""
    deadline = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < deadline
        threading.Event().wait(0.01)


def test_other_requests_are_answered_meanwhile(api: httpx.Client, started: HTTPConnection) -> None:
    """The work is in a process of its own."""
    answers = [api.get("/livez"), api.get("/api/listings")]

    assert [200, 200] == [answer.status_code for answer in answers]
    assert ([], [], []) == select([started.sock], [], [], 0)


def test_one_batch_is_validated_at_a_time(api: httpx.Client, started: HTTPConnection, validators: Validators) -> None:
    """The next one waits for its turn: together they would take the memory of both."""
    assert 200 == api.post("/api/import/validate", json=[ROW]).status_code

    assert 200 == started.getresponse().status
    assert 1 == len(validators())


def test_a_killed_process_is_a_problem_and_the_next_batch_has_another(
    api: httpx.Client, started: HTTPConnection, validators: Validators, tmp_path: Path
) -> None:
    """As when the machine is short of memory."""
    os.kill(validators()[0], signal.SIGKILL)

    answer = started.getresponse()
    assert (500, "worker_died") == (answer.status, json.loads(answer.read())["code"])
    assert api.post("/api/import/validate", json=[ROW]).json()["would_import"]
    assert [] == stored_files(tmp_path)


def test_a_client_that_goes_away_ends_the_work(started: HTTPConnection, validators: Validators, tmp_path: Path) -> None:
    """Its process is gone, and so are its bytes."""
    started.close()

    until(lambda: not validators())
    until(lambda: not stored_files(tmp_path))
