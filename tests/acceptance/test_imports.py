"""What a running server does with real files, many clients, big bodies, and clients that go away."""

import gzip
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.acceptance.conftest import Server

CSV = {"Content-Type": "text/csv"}
HEADER = "canonical_model,vram_gb,mig_support,nvlink,tdp_watts,price,score,notes\n"

COUNTS: dict[str, tuple[int, int, int]] = {
    "scored_sample.csv": (5, 5, 0),
    "test_scored.csv": (2, 2, 0),
    "sieveviz_scored.csv": (20, 20, 0),
    "sieveviz_comprehensive_scoring.csv": (145, 145, 0),
    "DERIVED_demo_scored_int.csv": (173, 148, 25),
    "DERIVED_demo_scored_float.csv": (173, 148, 25),
    "DERIVED_demo_scored_wide_alias.csv": (173, 148, 25),
    "refine_flagged_fp_fn.csv": (57, 46, 11),
}
"""Received, stored, rejected: as `shared/data/README.md` says."""


def submit(server: Server, path: Path) -> httpx.Response:
    """Upload a file as a form."""
    return server.client.post(
        "/api/import", params={"source": path.name}, files={"file": (path.name, path.read_bytes())}
    )


@pytest.mark.parametrize("name", COUNTS)
def test_a_real_file_gives_what_is_documented(server: Server, pipeline_file: Callable[[str], Path], name: str) -> None:
    """The counts of the README, and as many listings as were stored."""
    answer = submit(server, pipeline_file(name))
    report = answer.json()
    listings = server.client.get(f"/api/listings?limit=1000&import_id={report['import_id']}").json()

    assert (201, *COUNTS[name]) == (answer.status_code, *(report[each] for each in ("received", "count", "rejected")))
    assert COUNTS[name][1] == len(listings)


@pytest.mark.parametrize(
    "name", ["DERIVED_demo_scored_int.csv", "DERIVED_demo_scored_float.csv", "DERIVED_demo_scored_wide_alias.csv"]
)
def test_the_rejected_records_are_the_documented_ones(
    server: Server, pipeline_file: Callable[[str], Path], name: str
) -> None:
    """Records 21 to 39 and 139 to 144: no memory and no power."""
    rejections = server.client.get(submit(server, pipeline_file(name)).json()["links"]["rejections"]).json()["items"]

    assert [*range(21, 40), *range(139, 145)] == [rejection["import_index"] for rejection in rejections]


def test_records_of_another_length_are_all_ragged(server: Server, pipeline_file: Callable[[str], Path]) -> None:
    """A header of 33 columns over rows of 17 cells: 32 rejections, no row."""
    answer = submit(server, pipeline_file("refine_flagged_fp_fn_r2.csv"))

    assert (422, "no_valid_record", 32, 0) == (
        answer.status_code,
        *(answer.json()[name] for name in ("code", "received", "count")),
    )
    assert {"ragged_row": 32} == answer.json()["error_counts"]


@pytest.mark.parametrize("name", ["demo_3_stage_quantized.csv", "wamatek_stage_enriched.csv.gz"])
def test_a_file_without_scores_is_a_fault_of_the_file(
    server: Server, pipeline_file: Callable[[str], Path], name: str
) -> None:
    """The missing column is named."""
    path = pipeline_file(name)
    body = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()

    answer = server.client.post("/api/import", content=body, headers=CSV)

    assert (422, "missing_column", 0) == (answer.status_code, answer.json()["code"], answer.json()["count"])
    assert "score" in answer.json()["detail"]


def batch(rows: int, notes: str = "") -> bytes:
    """Return a CSV of so many valid rows."""
    return (HEADER + "".join(f"H100,80,7,True,350,{1000 + n},50,{notes}\n" for n in range(rows))).encode()


def test_sixteen_uploads_at_once_all_succeed(server: Server) -> None:
    """They queue; none is refused, and other requests go on being answered."""
    sizes = [1, 10, 100, 1_000, 10_000, 3, 30_000, 5, 50, 500, 5_000, 7, 70, 700, 7_000, 2]
    reads: list[int] = []
    done = threading.Event()

    def read() -> None:
        with httpx.Client(base_url=server.client.base_url, timeout=120) as client:
            while not done.is_set():
                reads.append(client.get("/api/listings?limit=10").status_code)

    def send(rows: int) -> httpx.Response:
        return httpx.post(f"{server.client.base_url}/api/import", content=batch(rows), headers=CSV, timeout=120)

    reader = threading.Thread(target=read)
    reader.start()
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(send, sizes))
    done.set()
    reader.join()

    assert [(201, size) for size in sizes] == [(answer.status_code, answer.json()["count"]) for answer in answers]
    assert ({200}, True) == (set(reads), len(reads) > 20)
    assert "locked" not in server.log.read_text()


def memory_of(pid: int) -> dict[str, int]:
    """Return the present and the highest memory of a process, in MiB."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return {line.split(":")[0]: int(line.split()[1]) // 1024 for line in lines if line.startswith(("VmRSS", "VmHWM"))}


def test_a_big_body_is_never_whole_in_memory(server: Server) -> None:
    """100 MB as a form and as a raw body: the server grows by a fraction of that, and answers meanwhile."""
    line = b"x" * 1_000 + b"\n"
    megabyte = line * 1_000
    opening = b'--XX\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n' + HEADER.encode()

    def form() -> Iterator[bytes]:
        yield opening
        yield from (megabyte for _ in range(100))
        yield b"\r\n--XX--\r\n"

    def raw() -> Iterator[bytes]:
        yield HEADER.encode()
        yield from (megabyte for _ in range(100))

    before = memory_of(server.process.pid)["VmRSS"]
    bodies: list[tuple[Any, str]] = [(form(), "multipart/form-data; boundary=XX"), (raw(), "text/csv")]
    answers = [
        server.client.post("/api/import", content=body, headers={"Content-Type": media_type})
        for body, media_type in bodies
    ]

    assert [(422, 100_000)] * 2 == [(answer.status_code, answer.json()["rejected"]) for answer in answers]
    assert memory_of(server.process.pid)["VmHWM"] - before < 60


def wait_for(server: Server, event: str, request_id: str) -> dict[str, Any]:
    """Return the line that was logged of a request."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        for line in server.logged():
            if (line["event"], line.get("request_id")) == (event, request_id):
                return line
        time.sleep(0.05)
    raise AssertionError(server.log.read_text())


@pytest.mark.parametrize("media_type", ["text/csv", "multipart/form-data; boundary=XX", "application/json"])
def test_a_client_that_goes_away_leaves_nothing(server: Server, media_type: str) -> None:
    """A body that ends early is no import, and no file of it stays."""
    request_id = f"gone-{len(media_type)}"
    before = server.client.get("/api/imports?limit=1").json()["items"]
    host, port = server.client.base_url.host, server.client.base_url.port
    with socket.create_connection((host, port or 80)) as connection:
        head = f"POST /api/import HTTP/1.1\r\nHost: x\r\nContent-Length: 100000000\r\nX-Request-ID: {request_id}\r\n"
        opening = '--XX\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n'
        connection.sendall(f"{head}Content-Type: {media_type}\r\n\r\n{opening}".encode())
        connection.sendall(b"x" * 3_000_000)

    logged = wait_for(server, "request", request_id)

    assert before == server.client.get("/api/imports?limit=1").json()["items"]
    assert [] == list((server.folder / "data" / "artifacts" / "incoming").iterdir())
    assert 400 == logged["status"]


def test_a_body_that_is_declared_too_large_is_refused_at_once(server: Server) -> None:
    """10 GB by `Content-Length`: 413 before a byte of it is sent."""
    host, port = server.client.base_url.host, server.client.base_url.port
    with socket.create_connection((host, port or 80)) as connection:
        connection.sendall(
            b"POST /api/import HTTP/1.1\r\nHost: x\r\nContent-Type: text/csv\r\nContent-Length: 10000000000\r\n\r\n"
        )
        answered = b""
        while not answered.endswith(b"}"):
            answered += connection.recv(65536)

    assert answered.startswith(b"HTTP/1.1 413 ")
    assert b"body_too_large" in answered


SECRET = "SECRET-CELL-4711"
SECRETS: dict[str, tuple[bytes, int]] = {
    "stored": (batch(1, SECRET), 201),
    "rejected": (batch(1) + f"A,1,1,1,1,{SECRET},1,\n".encode(), 201),
    "ragged": (batch(1) + f"{SECRET},1\n".encode(), 201),
    "not UTF-8": (batch(1) + SECRET.encode() + b"\xff,1,1,1,1,1,1,\n", 201),
    "all rejected": ((HEADER + f"A,1,1,1,1,{SECRET},1,\n").encode(), 422),
    "no header": (f"{SECRET},b\n1,2\n".encode(), 422),
    "unterminated": (batch(1) + f'"{SECRET},1,1,1,1,1,1,\n'.encode(), 422),
    "NUL": (batch(1) + f"{SECRET}\0,1,1,1,1,1,1,\n".encode(), 422),
    "too large a cell": (batch(1, SECRET * 10_000), 422),
    "half a form": (f'--XX\r\nContent-Disposition: form-data; name="{SECRET}"\r\n\r\n'.encode(), 422),
    "half of JSON": (json.dumps([{"notes": SECRET}])[:-2].encode(), 400),
}


@pytest.mark.parametrize("name", SECRETS)
def test_the_log_tells_the_steps_and_never_a_cell(server: Server, name: str) -> None:
    """One JSON line for the request and one for each step of its import, under the same ids; no content of a record."""
    body, status = SECRETS[name]
    media_type = {"half a form": "multipart/form-data; boundary=XX", "half of JSON": "application/json"}.get(name)
    request_id = "log-" + name.replace(" ", "-")

    answer = server.client.post(
        "/api/import", content=body, headers={"Content-Type": media_type or "text/csv", "X-Request-ID": request_id}
    )
    request = wait_for(server, "request", request_id)
    import_id = answer.json().get("import_id")
    steps = [line["event"] for line in server.logged() if line.get("request_id") == request_id]
    ended = ["import.read", "import.finished"] if status == 201 else ["import.failed"]

    assert (status, "POST", "/api/import") == (request["status"], request["method"], request["path"])
    assert import_id == request.get("import_id")
    assert (["import.started", *ended] if import_id else []) + ["request"] == steps
    assert SECRET not in server.log.read_text()


def test_reads_are_logged_without_what_was_asked(server: Server) -> None:
    """A query may quote a record too: the path is logged, the query not."""
    server.client.get("/api/listings", params={"seller": SECRET}, headers={"X-Request-ID": "read-1"})

    line = wait_for(server, "request", "read-1")

    assert ("GET", "/api/listings", 200) == (line["method"], line["path"], line["status"])
    assert {"event", "level", "method", "ms", "path", "request_id", "status", "timestamp"} == set(line)
    assert SECRET not in server.log.read_text()
