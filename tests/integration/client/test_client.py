"""`glyphd.client` against a real server: one method a call, problems as exceptions, batches sent once."""

import io
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import polars as pl
import pytest

from glyphd.client import Client
from glyphd.client.connection import Connection
from glyphd.client.frames import SCHEMA
from glyphd.client.paging import read_pages
from glyphd.domain.imports import Status
from glyphd.domain.issues import IssueCode
from glyphd.domain.report import ImportReport
from glyphd.errors import (
    ArtifactDamaged,
    BodyTooLarge,
    IllegalTransition,
    ImportNotFound,
    MissingColumn,
    QueueFull,
    ServerUnreachable,
    UnexpectedAnswer,
    UnknownProblem,
)
from tests.integration.client.conftest import Broken

SAMPLE = Path(__file__).parents[3] / "sample" / "scored_sample.csv"
NOBODY = "01a212c9-b639-751f-a092-889000000000"


def test_an_import_and_all_that_is_known_of_it(client: Client) -> None:
    """Reports, rejections, events, bytes and digest, typed."""
    sent: list[tuple[int, int | None]] = []
    report = client.import_file(
        SAMPLE, source="demo", metadata={"run": "7"}, on_progress=lambda *told: sent.append(told)
    )

    assert (Status.PUBLISHED, 10, 8, 2) == (report.status, report.received, report.count, report.rejected)
    assert {"run": "7"} == report.metadata
    assert isinstance(report.imported_at, datetime)
    assert (SAMPLE.stat().st_size, SAMPLE.stat().st_size) == sent[-1]
    assert report == client.report(report.import_id) == next(client.imports(source="demo"))
    assert [] == list(client.imports(metadata={"run": "8"}))
    assert [(9, IssueCode.NOT_A_NUMBER)] == [
        (r.import_index, r.issues[0].code) for r in client.rejections(report.import_id, limit=1)
    ]
    assert 3 == len(b"".join(client.rejections_csv(report.import_id)).splitlines())
    assert b"".join(client.rejections_csv(report.import_id, "spreadsheet")).startswith(b"\xef\xbb\xbf")
    assert "tester" == next(client.events(report.import_id)).actor
    assert SAMPLE.read_bytes() == b"".join(client.artifact(report.import_id))
    assert 64 == len(client.digest(report.import_id))
    assert ["demo"] == [summary.source for summary in client.sources()]
    assert "H100_PCIE_80GB" in [summary.model for summary in client.models()]


@pytest.mark.parametrize("form", ["path", "bytes", "open file", "pipe"])
def test_a_file_is_given_in_any_form(client: Client, form: str) -> None:
    """By path, as bytes, or open for reading, be it one that cannot be read again."""

    class Pipe(io.BytesIO):
        def seekable(self) -> bool:
            return False

    content = SAMPLE.read_bytes()
    given: dict[str, Any] = {
        "path": str(SAMPLE),
        "bytes": content,
        "open file": io.BytesIO(content),
        "pipe": Pipe(content),
    }

    report = client.import_file(given[form], filename="named.csv")

    assert (8, "named.csv") == (report.count, report.artifacts[0].filename)


def test_a_pipeline_run(client: Client) -> None:
    """Both files in one request; validated first."""
    files = SAMPLE.with_name("pipeline_enriched.csv"), SAMPLE.with_name("pipeline_scored.csv")

    expected, report = client.validate_pipeline(*files), client.import_pipeline(*files)

    assert ["enriched", "scored"] == [artifact.role for artifact in report.artifacts]
    assert (expected.count, expected.error_counts) == (report.count, report.error_counts)


def test_validation_stores_nothing(client: Client) -> None:
    """The report of an import that is not made."""
    expected = client.validate_file(SAMPLE, source="demo")

    assert (True, 8, "CSV") == (expected.would_import, expected.count, expected.format)
    assert not client.validate_file(b"a,b\n1,2\n").would_import
    assert [] == list(client.imports())


def test_review_and_replay(client: Client) -> None:
    """Staged, published, replayed, and what cannot be is an exception with its states."""
    staged = client.import_file(SAMPLE, publish="hold")
    assert (Status.STAGED, []) == (staged.status, list(client.listings()))

    published = client.publish(staged.import_id, "looked at")
    replay = client.replay(staged.import_id, wait=True)

    assert Status.PUBLISHED is published.status
    assert (staged.import_id, "replay") == (replay.parent_import_id, replay.kind)
    assert client.digest(staged.import_id) == client.digest(replay.import_id)
    with pytest.raises(IllegalTransition) as caught:
        client.discard(staged.import_id)
    assert (staged.import_id, 409) == (caught.value.import_id, caught.value.status)


def test_listings_page_by_page_and_as_a_frame(client: Client, make_csv: Callable[..., Path]) -> None:
    """More than a page of them, in the same order; a frame has the same columns with and without rows."""
    report = client.import_file(make_csv(*[{}] * 2_345))

    listings = list(client.listings(import_id=report.import_id))
    frame = client.listings(import_id=report.import_id, as_frame="polars")

    assert list(range(1, 2_346)) == [listing["import_index"] for listing in listings]
    assert [listing["id"] for listing in listings] == frame["id"].to_list()
    assert SCHEMA == frame.schema == client.listings(source="nobody", as_frame="polars").schema
    assert pl.Datetime("us", "UTC") == frame["created_at"].dtype
    assert 7 == len(list(client.listings(limit=7)))
    assert 7 == client.listings(limit=7, as_frame="polars").height


def test_a_failed_import_is_raised_with_what_is_known(client: Client) -> None:
    """Its code as a class, its import, and where it is; not waited for, it is a report."""
    with pytest.raises(MissingColumn) as caught:
        client.import_file(b"a,b\n1,2\n", filename="wrong.csv")
    assert ("missing_column", 422) == (caught.value.code, caught.value.status)
    assert Status.FAILED is client.report(caught.value.import_id or "").status

    report = client.wait(client.import_file(b"a,b\n1,2\n", filename="wrong.csv", wait=False).import_id)
    assert Status.FAILED is report.status


def test_problems_are_raised_by_their_codes(client: Client) -> None:
    """With the status of the answer."""
    with pytest.raises(ImportNotFound) as caught:
        client.report(NOBODY)
    assert 404 == caught.value.status


@pytest.mark.parametrize("form", ["import", "replay"])
def test_an_answer_that_is_lost_costs_no_second_import(server: str, form: str) -> None:
    """The same key is sent until there is an answer."""
    broken = Broken(0)
    with Client(server, transport=broken) as client:
        parent = client.import_file(SAMPLE, source="demo").import_id
        broken.left, broken.keys = 2, []
        report = client.replay(parent) if form == "replay" else client.import_file(SAMPLE, source="other")

        assert 3 == len(broken.keys)
        assert {broken.keys[0]} == set(broken.keys) != {""}
        assert [report.import_id, parent] == [each.import_id for each in client.imports()]


def test_a_key_goes_on_where_another_process_stopped(client: Client) -> None:
    """It is the caller's to give."""
    one, other = (client.import_file(SAMPLE, idempotency_key="crawl 7") for _ in range(2))
    assert one.import_id == other.import_id


def answering(*answers: httpx.Response) -> tuple[Connection, list[float]]:
    """Return a connection to a server that gives these answers, and the pauses that were made."""
    left, pauses = list(answers), list[float]()
    transport = httpx.MockTransport(lambda request: left.pop(0))
    return Connection("http://x", {}, timeout=5, retries=3, transport=transport, sleep=pauses.append), pauses


def problem(status: int, code: str, **headers: str) -> httpx.Response:
    """Return an answer that is a problem."""
    body = {"code": code, "detail": "so it is", "title": "x", "status": status, "type": f"/problems/{code}"}
    return httpx.Response(status, json=body, headers=headers)


def test_a_busy_server_is_asked_again_when_it_says() -> None:
    """`Retry-After` is obeyed; without one pauses grow; at last the problem is raised."""
    connection, pauses = answering(problem(429, "queue_full", **{"Retry-After": "7"}), httpx.Response(200, json=1))
    assert (1, [7.0]) == (connection.get("/", int), pauses)

    connection, pauses = answering(*[problem(503, "store_unavailable")] * 4)
    with pytest.raises(Exception, match="so it is"):
        connection.get("/", int)
    assert [1, 2, 4] == [least for least, pause in zip((1, 2, 4), pauses, strict=True) if 0 <= 4 * pause - least <= 2]


@pytest.mark.parametrize(
    ("answer", "raised"),
    [
        (problem(429, "queue_full"), QueueFull),
        (problem(413, "body_too_large"), BodyTooLarge),
        (problem(418, "from_tomorrow"), UnknownProblem),
        (httpx.Response(404, text="<html>"), UnexpectedAnswer),
        (httpx.Response(502, text="<html>"), ServerUnreachable),
        (httpx.Response(200, text="<html>"), UnexpectedAnswer),
    ],
    ids=str,
)
def test_any_answer_is_understood(answer: httpx.Response, raised: type[Exception]) -> None:
    """A proxy's page is no answer of glyphd's; what a newer server says keeps its code."""
    connection, _ = answering(*[answer] * 4)
    with pytest.raises(raised):
        connection.get("/", int)


def test_a_page_is_asked_for_when_the_one_before_is_used_up() -> None:
    """Iterators hold one page."""
    asked: list[httpx.URL] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url)
        return httpx.Response(200, json={"items": [1, 2], "next": "more" if len(asked) < 2 else None})

    connection = Connection("http://x", {}, timeout=5, retries=0, transport=httpx.MockTransport(answer))
    numbers = read_pages(connection, "/numbers", int, {})

    assert (1, 1) == (next(numbers), len(asked))
    assert ([2, 1, 2], 2, "more") == (list(numbers), len(asked), asked[1].params["cursor"])


def test_bytes_that_were_damaged_on_the_way_are_noticed() -> None:
    """`Repr-Digest` tells."""
    transport = httpx.MockTransport(
        lambda request: httpx.Response(200, content=b"x", headers={"Repr-Digest": "sha-256=:AA==:"})
    )
    with Client("http://x", transport=transport) as client, pytest.raises(ArtifactDamaged):
        list(client.artifact(NOBODY))


def test_nobody_there() -> None:
    """One exception, whatever the reason."""
    with Client("http://127.0.0.1:9", retries=0) as client, pytest.raises(ServerUnreachable):
        client.report(NOBODY)


@pytest.mark.parametrize("url", ["localhost:8080", "ftp://x", "", "http://"])
def test_what_is_no_url_is_said_at_once(url: str) -> None:
    """Before anything is sent."""
    with pytest.raises(ValueError, match="not the URL"):
        Client(url)


def test_waiting_ends_in_time(server: str, context: Any) -> None:
    """With the report as it is then, and each one before is told."""
    del context
    told: list[ImportReport] = []
    with Client(server) as client:
        begun = client.import_file(SAMPLE, wait=False)
        report = client.wait(begun.import_id, timeout=30, on_progress=told.append)
    assert (Status.PUBLISHED, report) == (report.status, told[-1])
    assert report.imported_at.tzinfo == UTC
