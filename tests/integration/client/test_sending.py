"""`glyphd.client` sends batches as they are read, again while that can help, and never as two imports."""

import hashlib
import io
import subprocess
import sys
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from glyphd.client import Client
from glyphd.client.connection import Connection
from glyphd.client.submitting import submit
from glyphd.domain.imports import Status
from glyphd.errors import (
    BodyTooLarge,
    GlyphdError,
    QueueFull,
    RejectedRecords,
    SchemaVersionNotFound,
    ServerUnreachable,
)
from glyphd.services.context import Context
from glyphd.settings import Settings
from tests.serving import serving

SAMPLE = Path(__file__).parents[3] / "sample" / "scored_sample.csv"
MIB = 1024 * 1024
Answer = Callable[[httpx.Request], httpx.Response]


class Unreliable(httpx.BaseTransport):
    """Lets other answers come first; what is sent after them reaches the server."""

    def __init__(self, *first: Answer) -> None:
        self.first, self.seen = list(first), list[tuple[str, str]]()
        self._inner = httpx.HTTPTransport()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Note method and key of a request, and answer it."""
        self.seen.append((request.method, request.headers.get("Idempotency-Key", "")))
        return self.first.pop(0)(request) if self.first else self._inner.handle_request(request)

    def close(self) -> None:
        """Close the connections."""
        self._inner.close()


def busy(status: int, code: str, **headers: str) -> Answer:
    """Return an answer that refuses a request for now, when it has arrived."""

    def answer(request: httpx.Request) -> httpx.Response:
        request.read()
        return httpx.Response(status, json={"code": code, "detail": "so it is"}, headers=headers)

    return answer


def broken_off(request: httpx.Request) -> httpx.Response:
    """Break the connection in the middle of a request."""
    assert isinstance(request.stream, httpx.SyncByteStream)
    next(iter(request.stream))
    raise httpx.WriteError("the connection broke", request=request)


@pytest.mark.parametrize("given", ["path", "open file"])
def test_a_batch_arrives_once_and_whole_however_often_it_is_sent(server: str, given: str) -> None:
    """Busy, busy without saying how long, broken off: each time all of it under one key, after the pause asked for."""
    pauses: list[float] = []
    transport = Unreliable(busy(429, "queue_full", **{"Retry-After": "7"}), busy(503, "store_unavailable"), broken_off)
    content = SAMPLE.read_bytes()
    file = io.BytesIO(b"not of the batch\n" + content)
    file.seek(17)

    with Connection(server, {}, timeout=30, retries=3, transport=transport, sleep=pauses.append) as connection:
        batch: Any = file if given == "open file" else SAMPLE
        report = submit(connection, "/api/import", {"file": batch}, {"source": "demo"})

    assert (8, hashlib.sha256(content).hexdigest()) == (report.count, report.artifacts[0].sha256)
    assert 4 == len(transport.seen)
    assert 1 == len({*transport.seen})
    assert transport.seen[0][1]
    assert (3, 7.0) == (len(pauses), pauses[0])
    with Client(server) as client:
        assert [report.import_id] == [each.import_id for each in client.imports()]


def test_what_cannot_be_read_again_is_sent_once() -> None:
    """A pipe: its caller is told that it did not arrive."""

    class Pipe(io.BytesIO):
        def seekable(self) -> bool:
            return False

    transport = Unreliable(busy(429, "queue_full"))
    with Client("http://x", transport=transport) as client, pytest.raises(QueueFull):
        client.import_file(Pipe(b"a"))
    assert 1 == len(transport.seen)


def test_tries_come_to_an_end() -> None:
    """As often as was said, and once more; then the last answer is raised."""
    transport = Unreliable(*[broken_off] * 4)
    with (
        Connection("http://x", {}, timeout=1, retries=3, transport=transport, sleep=lambda _: None) as connection,
        pytest.raises(ServerUnreachable),
    ):
        submit(connection, "/api/import", {"file": SAMPLE}, {})
    assert 4 == len(transport.seen)


def test_a_refusal_is_not_sent_again() -> None:
    """It would be refused again."""
    transport = Unreliable(busy(413, "body_too_large"))
    with Client("http://x", transport=transport) as client, pytest.raises(BodyTooLarge):
        client.import_file(SAMPLE)
    assert 1 == len(transport.seen)


def test_a_file_is_sent_as_it_is_read(tmp_path: Path) -> None:
    """50 MiB pass through less than 4 MiB of memory, and the callback is told of every portion."""
    file, sent, arrived = tmp_path / "big.csv", list[tuple[int, int | None]](), list[int]()
    with file.open("wb") as opened:
        opened.truncate(50 * MIB)

    def receive(request: httpx.Request) -> httpx.Response:
        assert isinstance(request.stream, httpx.SyncByteStream)
        arrived.append(sum(len(portion) for portion in request.stream))
        return httpx.Response(413, json={"code": "body_too_large", "detail": "so it is"})

    with Client("http://x", transport=Unreliable(receive)) as client:
        tracemalloc.start()
        with pytest.raises(BodyTooLarge):
            client.import_file(file, on_progress=lambda *told: sent.append(told))
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()

    assert peak < 4 * MIB
    assert 50 * MIB < arrived[0] < 50 * MIB + 1000
    assert (50 * MIB, 50 * MIB) == sent[-1]
    assert sent == sorted(sent)
    assert len(sent) > 50


@pytest.mark.parametrize("held", [10, 0], ids=["answered", "asked for"])
def test_a_failed_import_is_raised_alike_whenever_it_fails(
    client: Client, monkeypatch: pytest.MonkeyPatch, held: float
) -> None:
    """With its import, its counts and its errors, be it while the request waits or later."""
    monkeypatch.setattr("glyphd.client.submitting._HELD_SECONDS", held)

    with pytest.raises(RejectedRecords) as caught:
        client.import_file(SAMPLE, on_error="abort")

    members = caught.value.members
    assert caught.value.import_id == next(client.imports()).import_id
    assert (10, 0, 2) == (members["received"], members["count"], members["rejected"])
    assert (9, "not_a_number") == (members["errors"][0]["import_index"], members["errors"][0]["code"])


def test_waiting_is_not_for_longer_than_asked(make_settings: Callable[..., Settings], context: Context) -> None:
    """Without a worker an import waits; its report is returned as it is, and it can be taken out."""
    with serving(make_settings(), context) as http, Client(str(http.base_url)) as client:
        reports = [client.import_file(SAMPLE, wait=wait) for wait in (False, 0.1)]
        assert [Status.RECEIVED] * 2 == [report.status for report in reports]
        assert Status.RECEIVED is client.wait(reports[0].import_id, timeout=0).status
        assert Status.DISCARDED is client.discard(reports[0].import_id, "not today").status
        assert ["received", "discarded"] == [event.action for event in client.events(reports[0].import_id)]
        assert Status.DISCARDED is client.wait(reports[0].import_id).status


def test_schema_versions(client: Client) -> None:
    """Which there are, and what each asks of a row."""
    newest = client.schema_versions().default

    assert "price" in client.schema(newest)["properties"]
    with pytest.raises(SchemaVersionNotFound):
        client.schema("v9")


def test_every_request_says_who_asks() -> None:
    """The token as a bearer's; the actor in what a header can carry."""
    asked: list[httpx.Headers] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.headers)
        return httpx.Response(200, json=[])

    transport = Unreliable(answer)
    with Client("http://x", token="t", actor="Zoë", transport=transport) as client:
        assert [] == list(client.models())
    assert ("Bearer t", "Zo?") == (asked[0]["Authorization"], asked[0]["X-Actor"])


def test_a_url_with_a_password_does_not_tell_it() -> None:
    """What cannot be reached is named without it."""
    with Client("http://me:hunter2@127.0.0.1:9", retries=0) as client, pytest.raises(GlyphdError) as caught:
        client.schema_versions()
    assert "hunter2" not in caught.value.detail
    assert "127.0.0.1" in caught.value.detail


def test_the_client_is_cheap_to_import() -> None:
    """It loads nothing of what makes answers."""
    heavy = {"polars", "pyarrow", "sqlalchemy", "fastapi", "pydantic"}
    script = f"import sys, glyphd.client; print({heavy} & set(sys.modules))"
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert "set()\n" == ran.stdout
