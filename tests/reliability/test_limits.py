"""G7: no request makes the server run out of memory or stop answering other requests."""

import json
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from tests.reliability.batches import Batch
from tests.reliability.ledger import all_finished, submit
from tests.reliability.processes import Installation, Server, wait_until

_MIB = 1 << 20
_HEADER = b"canonical_model,vram_gb,tdp_watts,mig_support,nvlink,price,score\n"
_ROW = b"H100,80,350,7,True,28450.00,71.4\n"

_HOSTILE = {
    "a quote that is never closed": (_HEADER + b'"' + b"x" * (40 * _MIB), "unterminated_quote cell_too_large"),
    "one line without an end": (_HEADER + b"x," * (20 * _MIB), "record_too_large cell_too_large"),
    "a header without an end": (b"x," * (20 * _MIB), "too_many_columns record_too_large missing_column"),
    "one cell of 40 MiB": (_HEADER + b"x" * (40 * _MIB) + b"\n", "cell_too_large record_too_large"),
    "only line ends": (_HEADER + b"\n" * (20 * _MIB), "empty_file"),
    "only commas": (_HEADER + (b"," * 6 + b"\n") * 100_000, "no_valid_record"),
    "bytes that are no text": (_HEADER + b"\xff,\xfe\n" * 100_000, "no_valid_record"),
    "JSON nested too deeply": (b"[" * _MIB + b"]" * _MIB, "malformed_request"),
    "JSON objects nested too deeply": (b'[{"a":' * 200_000 + b"1" + b"}]" * 200_000, "malformed_request"),
    "a JSON text of 40 MiB": (b'[{"notes":"' + b"x" * (40 * _MIB) + b'"}]', "cell_too_large record_too_large"),
    "a JSON number of a million digits": (b'[{"price":' + b"9" * _MIB + b"}]", "no_valid_record cell_too_large"),
    "more members than columns": (
        b"[{" + b",".join(b'"m%d":1' % n for n in range(300_000)) + b"}]",
        "too_many_columns record_too_large",
    ),
    "nothing but empty objects": (b"[" + b",".join([b"{}"] * 200_000) + b"]", "no_valid_record missing_column"),
}


def test_hostile_files_fail_with_a_reason_in_bounded_memory(make_installation: Callable[..., Installation]) -> None:
    """Each is refused or leaves a failed import that says why; the worker lives through all of them within 600 MB."""
    installation = make_installation(lease_seconds=60, wait_seconds=60)
    server, worker = installation.start_server(), installation.start_worker()
    found = {name: _post(server, content) for name, (content, _) in _HOSTILE.items()}
    assert {400, 422} == {answer.status_code for answer in found.values()}
    codes = {name: answer.json()["type"].rsplit("/", 1)[1] for name, answer in found.items()}
    assert {} == {name: code for name, code in codes.items() if code not in _HOSTILE[name][1].split()}
    assert worker.is_alive()
    assert 600 * _MIB > _peak_bytes(worker.pid)
    assert 400 * _MIB > _peak_bytes(server.process.pid)


@pytest.mark.parametrize("form", ["raw", "multipart"])
def test_a_big_upload_is_never_whole_in_memory(make_installation: Callable[..., Installation], form: str) -> None:
    """Receiving 300 MiB adds less than 64 MiB to what the server holds."""
    installation = make_installation()
    server = installation.start_server()
    assert 202 == _post(server, _HEADER + _ROW).status_code
    before = _peak_bytes(server.process.pid)
    assert 202 == _stream(server, _forever(_MIB, 300), form).status_code
    assert 64 * _MIB > _peak_bytes(server.process.pid) - before


def test_a_body_over_the_limit_is_refused_while_it_comes(make_installation: Callable[..., Installation]) -> None:
    """413 for a length that is declared, before a byte is read, and for one that is not; nothing stays."""
    installation = make_installation(max_body_bytes=_MIB, max_json_bytes=1000)
    server = installation.start_server()
    url = f"{server.url}/api/import"
    declared = _post(server, bytes(2 * _MIB))
    chunked = _stream(server, _forever(1000, 2000), "raw")
    as_form = _stream(server, _forever(1000, 2000), "multipart")
    as_json = httpx.post(url, content=b" " * 1001, headers={"content-type": "application/json"})
    assert [413] * 4 == [answer.status_code for answer in (declared, chunked, as_form, as_json)]
    assert {"application/problem+json"} == {
        answer.headers["content-type"] for answer in (declared, chunked, as_form, as_json)
    }
    assert [] == httpx.get(f"{server.url}/api/imports").json()["items"]
    assert [] == [path for path in (installation.folder / "artifacts").rglob("*") if path.is_file()]


def test_a_declared_length_over_the_limit_is_refused_unread(make_installation: Callable[..., Installation]) -> None:
    """The answer comes although no byte of the body ever does."""
    server = make_installation(max_body_bytes=_MIB).start_server()
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as waiting:
        waiting.sendall(_head("text/csv", _MIB + 1))
        assert waiting.recv(12) == b"HTTP/1.1 413"


def test_stalled_clients_hold_nobody_up(make_installation: Callable[..., Installation]) -> None:
    """With 120 uploads that begin and then say nothing more, and an import running, others are answered."""
    installation = make_installation(lease_seconds=60)
    batch = Batch("running", 100_000)
    submit(installation.context, batch)
    server = installation.start_server()
    installation.start_worker()
    with ExitStack() as stack:
        for number in range(120):
            stalled = stack.enter_context(socket.create_connection(("127.0.0.1", server.port), timeout=10))
            stalled.sendall(_beginning(as_form=bool(number % 2)))
        waits = []
        for path in ["/livez", "/readyz", "/api/listings", "/api/models", "/api/imports", "/api/sources"] * 3:
            began = time.monotonic()
            assert httpx.get(server.url + path, timeout=30).is_success, path
            waits.append(time.monotonic() - began)
        assert 202 == _post(server, _HEADER + _ROW).status_code
    assert 5 > max(waits)
    wait_until(lambda: all_finished(installation.context))
    incoming = installation.folder / "artifacts" / "incoming"
    wait_until(lambda: not list(incoming.iterdir()))


def test_a_file_name_is_never_a_path(make_installation: Callable[..., Installation]) -> None:
    """A name that points elsewhere is shown without its folders, and nothing is read or written there."""
    installation = make_installation()
    server = installation.start_server()
    name = "../../../etc/passwd.csv"
    form = httpx.post(f"{server.url}/api/import", files={"file": (name, _HEADER + _ROW, "text/csv")})
    body = {"filename": name, "content": (_HEADER + _ROW).decode()}
    member = httpx.post(f"{server.url}/api/import", json=body)
    assert [["passwd.csv"]] * 2 == [[a["filename"] for a in answer.json()["artifacts"]] for answer in (form, member)]
    assert json.loads(form.text)["artifacts"][0]["sha256"] == json.loads(member.text)["artifacts"][0]["sha256"]


def _post(server: Server, content: bytes) -> httpx.Response:
    kind = "application/json" if content[:1] in {b"[", b"{"} else "text/csv"
    return httpx.post(f"{server.url}/api/import", content=content, headers={"content-type": kind}, timeout=90)


def _stream(server: Server, portions: Iterator[bytes], form: str) -> httpx.Response:
    headers = {"content-type": "text/csv"}
    if form == "multipart":
        headers = {"content-type": "multipart/form-data; boundary=b"}
        portions = _in_form(portions)
    return httpx.post(f"{server.url}/api/import", content=portions, headers=headers, timeout=90)


def _forever(size: int, times: int) -> Iterator[bytes]:
    yield _HEADER
    row = b"x" * (size - 1) + b"\n"
    for _ in range(times):
        yield row


def _in_form(portions: Iterator[bytes]) -> Iterator[bytes]:
    yield b'--b\r\nContent-Disposition: form-data; name="file"; filename="f.csv"\r\n\r\n'
    yield from portions
    yield b"\r\n--b--\r\n"


def _beginning(*, as_form: bool) -> bytes:
    kind = "multipart/form-data; boundary=b" if as_form else "text/csv"
    part = b'--b\r\nContent-Disposition: form-data; name="file"; filename="f.csv"\r\n\r\n' if as_form else b""
    return _head(kind, 100_000) + part + _HEADER


def _head(kind: str, length: int) -> bytes:
    head = f"POST /api/import HTTP/1.1\r\nHost: x\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n\r\n"
    return head.encode()


def _peak_bytes(pid: int | None) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) * 1024
