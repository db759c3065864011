"""Requests that are sent again, clients that do not wait, and clients that go away; on the real server."""

import json
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.acceptance.conftest import Server, serving
from tests.engines import Databases, only_postgresql

KEY = {"Idempotency-Key": '"crawl 7"'}
MANY = 150_000


@pytest.fixture(scope="module")
def many_records(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file whose import takes a while."""
    path = tmp_path_factory.mktemp("many") / "many.csv"
    line = "H100_PCIE_80GB,80,350,7,true,28450.5,71.4\n"
    path.write_text("canonical_model,vram_gb,tdp_watts,mig_support,nvlink,price,score\n" + line * MANY)
    return path


def post(server: Server, content: bytes, **headers: str) -> httpx.Response:
    """Send a CSV as the body."""
    return server.client.post("/api/import", content=content, headers={"Content-Type": "text/csv", **headers})


def imports_of(server: Server) -> list[str]:
    """Return the ids of all imports."""
    return [report["import_id"] for report in server.client.get("/api/imports").json()["items"]]


def test_a_key_outlives_its_server(start: Callable[..., Server], sample: bytes) -> None:
    """The server is ended and started again; the same request is the same import, another one is refused."""
    first = start("--migrate")
    made = post(first, sample, **KEY)
    first.process.terminate()
    first.process.wait(30)
    second = start()

    again, other = post(second, sample, **KEY), post(second, sample + b"\n#", **KEY)

    assert (201, 201, 422) == (made.status_code, again.status_code, other.status_code)
    assert "true" == again.headers["Idempotency-Replayed"]
    assert "Idempotency-Replayed" not in made.headers
    assert ("idempotency_key_reused", made.json()["import_id"]) == (other.json()["code"], other.json()["import_id"])
    assert [made.json()["import_id"]] == imports_of(second) == [again.json()["import_id"]]


@only_postgresql  # two servers of their own share no SQLite file: it is one machine's
def test_two_servers_know_the_same_keys(tmp_path: Path, databases: Databases, sample: bytes) -> None:
    """At the same time, to both: one import, whoever was first."""
    url = databases.empty(tmp_path)
    answers: list[httpx.Response] = []
    artifacts = {"GLYPHD_DATABASE_URL": url, "GLYPHD_ARTIFACTS_URL": f"file://{tmp_path}/artifacts"}
    folders = [tmp_path / "one", tmp_path / "other"]
    for folder in folders:
        folder.mkdir()
    with serving(folders[0], "--migrate", **artifacts) as one, serving(folders[1], **artifacts) as other:
        threads = [
            threading.Thread(target=lambda server=server: answers.append(post(server, sample, **KEY)))
            for server in (one, other) * 3
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        last = [post(server, sample, **KEY) for server in (one, other)]

        assert {201} <= {answer.status_code for answer in answers} <= {201, 202, 409}
        assert 1 == len(imports_of(one))
        assert {*imports_of(other)} == {answer.json()["import_id"] for answer in last}


def test_the_same_bytes_without_a_key(start: Callable[..., Server], sample: bytes) -> None:
    """A new import, which names the earlier one."""
    server = start("--migrate")
    one, other = (post(server, sample).json() for _ in range(2))
    assert one["import_id"] == other["duplicate_of"]
    assert one["import_id"] != other["import_id"]


def test_progress_is_live(start: Callable[..., Server], many_records: Path) -> None:
    """Answered at once when nobody wants to wait; then records, bytes and rate grow until it is done."""
    server = start("--migrate")
    answer = post(server, many_records.read_bytes(), Prefer="respond-async")

    assert (202, "respond-async") == (answer.status_code, answer.headers["Preference-Applied"])
    seen: list[dict[str, Any]] = []
    while (report := server.client.get(answer.headers["Location"]).json())["status"] in {"received", "running"}:
        seen.append(report["progress"])
    done = [each["records_done"] for each in seen]
    between = [each for each in seen if 0 < each["records_done"] < MANY]
    assert ("published", MANY) == (report["status"], report["count"])
    assert done == sorted(done)
    assert between, "nothing was seen of the import while it ran"
    for each in between:
        assert 0 < each["bytes_done"] < each["bytes_total"] == many_records.stat().st_size
        assert 0 < each["records_per_second"]
        assert each["eta_seconds"] is not None


def test_a_wait_is_as_long_as_asked(start: Callable[..., Server], many_records: Path) -> None:
    """Not the outcome, but the report so far."""
    server = start("--migrate")
    began = time.monotonic()
    answer = post(server, many_records.read_bytes(), Prefer="wait=0")
    assert (202, "wait=0") == (answer.status_code, answer.headers["Preference-Applied"])
    assert 30 > time.monotonic() - began


@pytest.mark.parametrize("whole", [True, False], ids=["after its last byte", "half way"])
def test_a_client_that_goes_away(start: Callable[..., Server], sample: bytes, whole: bool) -> None:
    """What has arrived whole is imported; of half a body nothing stays."""
    server = start("--migrate")
    host, port = server.client.base_url.host, server.client.base_url.port or 80
    request_id = uuid4().hex
    lines = ["Host: x", "Content-Type: text/csv", f"X-Request-ID: {request_id}", f"Content-Length: {len(sample)}"]
    head = "\r\n".join(["POST /api/import HTTP/1.1", *lines, "", ""])
    with socket.create_connection((host, port)) as connection:
        connection.sendall(head.encode() + (sample if whole else sample[:300]))
    deadline = time.monotonic() + 60
    while not any(line.get("request_id") == request_id for line in server.logged()):
        assert time.monotonic() < deadline, "the server did not notice"
        time.sleep(0.05)
    while whole and "published" not in json.dumps(server.client.get("/api/imports").json()):
        assert time.monotonic() < deadline, "the batch was lost"
        time.sleep(0.05)
    assert (1 if whole else 0) == len(imports_of(server))


def test_a_full_queue_and_a_large_body_say_what_helps(start: Callable[..., Server], sample: bytes) -> None:
    """429 with `Retry-After` while nothing runs what waits, 413 as a problem of glyphd's."""
    server = start("--migrate", GLYPHD_IMPORT_WORKERS="0", GLYPHD_MAX_QUEUE="1", GLYPHD_MAX_BODY_BYTES="2000")
    first, second = (post(server, sample[:1500], Prefer="respond-async") for _ in range(2))
    third = post(server, sample * 2)

    assert (202, 429) == (first.status_code, second.status_code)
    assert int(second.headers["Retry-After"]) > 0
    assert {413, 429} >= {third.status_code}
    assert "application/problem+json" == second.headers["Content-Type"] == third.headers["Content-Type"]
