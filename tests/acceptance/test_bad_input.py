"""Bad input at the real server: a clear problem, nothing stored, others served meanwhile, memory bounded."""

import http.client
import json
import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.acceptance.bad_input import CASES, CSV, Case
from tests.acceptance.conftest import Server, environment_on, serving
from tests.acceptance.test_server import processes_of
from tests.engines import Databases

LIMIT = 64 << 20
PEAK_BYTES = 384 << 20
"""What any one process of the server may have held in memory: its libraries alone take half of it."""
LONGEST_SECONDS = 5
PROBED = ("/livez", "/api/listings")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, engine: str, _all_databases: Databases) -> Iterator[Server]:
    """A server of this module's own, with limits that a test can reach, and a pipeline directory with traps in it."""
    folder = tmp_path_factory.mktemp("bad_input")
    runs = folder / "runs"
    runs.mkdir()
    (runs / "good.csv").write_bytes(CSV)
    (runs / "link.csv").symlink_to("good.csv")
    (runs / "zero.csv").symlink_to("/dev/zero")
    os.mkfifo(runs / "fifo.csv")
    limits = {"GLYPHD_MAX_BODY_BYTES": str(LIMIT), "GLYPHD_PIPELINE_DIR": str(runs)}
    with serving(folder, "--migrate", **environment_on(engine, _all_databases, folder), **limits) as running:
        yield running


@contextmanager
def others_served(server: Server) -> Iterator[None]:
    """Ask for something else all the while, and check in the end that no answer was wanting or late."""
    taken: list[tuple[int, float]] = []
    first, over = threading.Event(), threading.Event()

    def probe() -> None:
        with httpx.Client(base_url=server.client.base_url, timeout=60) as client:
            while not over.is_set():
                for path in PROBED:
                    started = time.monotonic()
                    taken.append((client.get(path).status_code, time.monotonic() - started))
                first.set()

    prober = threading.Thread(target=probe)
    prober.start()
    try:
        assert first.wait(60)
        yield
    finally:
        over.set()
        prober.join()
    assert {200} == {status for status, _ in taken}
    assert max(seconds for _, seconds in taken) < LONGEST_SECONDS


def peaks(server: Server) -> list[int]:
    """Return the most memory that each process of the server has ever held, in bytes."""
    found = []
    for pid in {server.process.pid, *processes_of(server.process.pid)}:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
        found += [int(line.split()[1]) << 10 for line in lines if line.startswith("VmHWM:")]
    return found


def stored(server: Server) -> tuple[list[Any], list[str], list[Path]]:
    """Return all rows, the ids of all imports, newest first, and all artifacts."""
    listings = server.client.get("/api/listings", params={"limit": 1000}).json()
    imports = server.client.get("/api/imports", params={"limit": 200}).json()["items"]
    artifacts = (server.folder / "data" / "artifacts").rglob("*")
    return listings, [each["import_id"] for each in imports], sorted(path for path in artifacts if path.is_file())


def send(server: Server, case: Case, body: bytes) -> tuple[int, dict[str, Any]]:
    """Send what no well-behaved client would, over a bare connection; return status and body of the answer."""
    url = server.client.base_url
    connection = http.client.HTTPConnection(url.host, url.port or 80, timeout=60)
    declared = str(len(body) if case.declared is None else case.declared)
    connection.putrequest("POST", case.path)
    for name, value in {"Content-Type": case.media_type, "Content-Length": declared, **case.headers}.items():
        connection.putheader(name, value)
    connection.endheaders()
    with suppress(BrokenPipeError, ConnectionResetError):  # what is sent after the answer is not read
        connection.send(body)
    answer = connection.getresponse()
    status, said = answer.status, json.loads(answer.read())
    connection.close()
    return status, said


REFUSED = [name for name, case in CASES.items() if case.code and not case.failed]
FAILED = [name for name, case in CASES.items() if case.failed]
ACCEPTED = [name for name, case in CASES.items() if not case.code]


def check(server: Server, name: str) -> dict[str, Any]:
    """Send a case while others are served and memory stays bounded; return the answer, whose status and code it has."""
    case = CASES[name]
    body = case.bytes()
    with others_served(server):
        status, said = send(server, case, body)
    assert (case.status, case.code) == (status, said.get("code")), said
    assert max(peaks(server)) < PEAK_BYTES
    if case.code:
        assert {"type", "title", "status", "detail", "code"} <= set(said)
        assert case.says == {key: said.get(key) for key in case.says}
    return said


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused_leaves_nothing(server: Server, name: str) -> None:
    """No import, no rows and no bytes: the sender has the problem, and that is all."""
    before = stored(server)

    said = check(server, name)

    assert "import_id" not in said
    assert before == stored(server)


@pytest.mark.parametrize("name", FAILED)
def test_a_file_at_fault_is_a_failed_import_without_rows(server: Server, name: str) -> None:
    """Its bytes are kept as evidence, the ledger says why it failed, and nobody's rows have changed."""
    listings, imports, _ = stored(server)

    said = check(server, name)

    now, ledger, _ = stored(server)
    report = server.client.get(said["links"]["self"]).json()
    assert (listings, [said["import_id"], *imports]) == (now, ledger)
    assert [] == server.client.get("/api/listings", params={"import_id": said["import_id"]}).json()
    assert ("failed", said["code"], said["detail"]) == (
        report["status"],
        report["failure"]["code"],
        report["failure"]["detail"],
    )


@pytest.mark.parametrize("name", ACCEPTED)
def test_a_bad_record_or_name_is_not_a_bad_file(server: Server, name: str) -> None:
    """The record is rejected and the others are stored; a name is only a label, and is cleaned."""
    said = check(server, name)

    answered = {**said, "filename": said["artifacts"][0]["filename"]}
    rows = server.client.get("/api/listings", params={"import_id": said["import_id"]}).json()
    assert CASES[name].says == {key: answered[key] for key in CASES[name].says}
    assert [1] == [row["import_index"] for row in rows]


def test_a_client_that_goes_away_leaves_nothing(server: Server) -> None:
    """A connection that ends in the middle of the body it declared: there is nobody to answer, and nothing is kept."""
    before = stored(server)
    head = f"POST /api/import HTTP/1.1\r\nHost: x\r\nContent-Type: text/csv\r\nContent-Length: {len(CSV) * 2}\r\n\r\n"

    with (
        others_served(server),
        socket.create_connection((server.client.base_url.host, server.client.base_url.port)) as it,
    ):
        it.sendall(head.encode() + CSV)
        it.shutdown(socket.SHUT_WR)
        it.settimeout(60)
        answer = it.recv(65_536)

    assert b"" == answer or b"incomplete_body" in answer
    assert before == stored(server)
    assert 400 in {line.get("status") for line in server.logged() if line["event"] == "request"}
