"""`POST /api/import`: every form of a body, options wherever they are said, and every outcome."""

import json
from collections.abc import Callable
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
COUNTS = ("received", "count", "rejected")
JSON = {"Content-Type": "application/json"}
CARRIED = {"import_id", "received", "count", "rejected", "errors", "error_counts", "errors_truncated", "links"}
PROBLEM = {"type", "title", "status", "detail", "code"}


def counts(answer: httpx.Response) -> tuple[int, ...]:
    """Return the status of an answer and the counts of its report."""
    return (answer.status_code, *(answer.json()[name] for name in COUNTS))


def test_a_form_is_imported(api: httpx.Client, sample: bytes) -> None:
    """`-F file=@…` answers 201, the report, and where it stays."""
    answer = api.post("/api/import", files={"file": ("scored_sample.csv", sample, "text/csv")})

    assert (201, 10, 8, 2) == counts(answer)
    assert answer.json() == api.get(answer.headers["Location"]).json()


@pytest.mark.parametrize(
    ("media_type", "delimiter"),
    [
        ("text/csv", ","),
        ("text/csv; charset=utf-8", ","),
        ("TEXT/CSV", ","),
        ("application/csv", ","),
        ("text/plain", ";"),
        ("text/tab-separated-values", "\t"),
        ("application/octet-stream", "|"),
        ("application/x-www-form-urlencoded", ","),
        (None, ","),
    ],
)
def test_a_raw_body_is_imported(shared_api: httpx.Client, media_type: str | None, delimiter: str) -> None:
    """`--data-binary` with a media type that says CSV, or says nothing."""
    lines = [ROW, ROW, BAD_ROW]
    body = "\n".join([delimiter.join(ROW), *(delimiter.join(str(cell) for cell in line.values()) for line in lines)])

    answer = shared_api.post("/api/import", content=body, headers={"Content-Type": media_type} if media_type else {})

    assert (201, 3, 2, 1) == counts(answer)


@pytest.mark.parametrize(
    ("body", "received", "count"),
    [
        ([ROW], 1, 1),
        ([ROW, BAD_ROW, 3, None, [1]], 5, 1),
        ({"listings": [ROW]}, 1, 1),
        ({"source": "wamatek", "listings": [ROW, BAD_ROW]}, 2, 1),
        ({"filename": "a.csv", "content": ",".join(ROW) + "\n" + ",".join(map(str, ROW.values()))}, 1, 1),
        ({"content": ",".join(ROW) + "\n" + ",".join(map(str, ROW.values()))}, 1, 1),
        ({"filename": "a.json", "content": json.dumps([ROW, ROW])}, 2, 2),
    ],
)
def test_json_is_imported(shared_api: httpx.Client, body: Any, received: int, count: int) -> None:
    """An array, an object with `listings`, and a file's text; what is no object is a rejection."""
    assert (201, received, count, received - count) == counts(shared_api.post("/api/import", json=body))


OPTIONS = {
    "source": "wamatek",
    "campaign_id": "july",
    "metadata": '{"run":{"id":7}}',
    "observed_at": "2026-07-01T02:00:00+02:00",
    "on_error": "continue",
    "schema_version": "v1.0",
}
EXPECTED_OPTIONS = {
    "source": "wamatek",
    "campaign_id": "july",
    "metadata": {"run": {"id": 7}},
    "observed_at": "2026-07-01T00:00:00Z",
    "schema_version": "v1.0",
}


@pytest.mark.parametrize("way", ["query", "form", "json", "json file", "query and form"])
def test_options_are_understood_wherever_they_are_said(shared_api: httpx.Client, sample: bytes, way: str) -> None:
    """Query parameters, form fields and JSON members say the same things; said twice alike they agree."""
    file = {"file": ("a.csv", sample, "text/csv")}
    requests: dict[str, dict[str, Any]] = {
        "query": {"params": OPTIONS, "content": sample, "headers": {"Content-Type": "text/csv"}},
        "form": {"data": OPTIONS, "files": file},
        "json": {"json": {**OPTIONS, "metadata": {"run": {"id": 7}}, "listings": [ROW]}},
        "json file": {"json": {**OPTIONS, "content": sample.decode()}},
        "query and form": {"params": OPTIONS, "data": OPTIONS, "files": file},
    }

    report = shared_api.post("/api/import", **requests[way]).json()

    assert EXPECTED_OPTIONS == {name: report[name] for name in EXPECTED_OPTIONS}


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("source=", "invalid_parameter"),
        ("source=%00", "invalid_parameter"),
        ("source=a%0Ab", "invalid_parameter"),
        (f"source={'x' * 129}", "invalid_parameter"),
        (f"campaign_id={'x' * 257}", "invalid_parameter"),
        ("metadata=[]", "invalid_parameter"),
        ("metadata={", "invalid_parameter"),
        ('metadata={"a":"\\u0000"}', "invalid_parameter"),
        ('metadata={"a":' + '{"a":' * 40 + "1" + "}" * 41, "invalid_parameter"),
        ("observed_at=yesterday", "invalid_parameter"),
        ("observed_at=2199-01-01T00:00:00Z", "invalid_parameter"),
        ("on_error=ignore", "invalid_parameter"),
        ("schema_version=v9", "unsupported_schema_version"),
        ("colour=red", "invalid_parameter"),
        ("source=a&source=b", "conflicting_options"),
    ],
)
def test_an_option_that_is_not_accepted_leaves_no_import(
    shared_api: httpx.Client, sample: bytes, query: str, code: str
) -> None:
    """A 422 that names the parameter, in the query as in a form, and nothing on the ledger."""
    before = shared_api.get("/api/imports?limit=1").json()["items"]
    name = query.partition("=")[0]

    raw = shared_api.post(f"/api/import?{query}", content=sample, headers={"Content-Type": "text/csv"})

    assert (422, code, name) == (raw.status_code, raw.json()["code"], raw.json()["parameter"])
    assert before == shared_api.get("/api/imports?limit=1").json()["items"]


@pytest.mark.parametrize("name", list(OPTIONS))
@pytest.mark.parametrize("way", ["form", "json"])
def test_options_that_disagree_are_refused(shared_api: httpx.Client, sample: bytes, name: str, way: str) -> None:
    """The query and the body may not say different things."""
    other = {**OPTIONS, "metadata": "{}", "on_error": "abort", "observed_at": "2026-07-02", "schema_version": "v1.1"}
    other |= {"source": "halbry", "campaign_id": "august"}
    body: dict[str, Any] = {
        "form": {"data": {name: OPTIONS[name]}, "files": {"file": ("a.csv", sample)}},
        "json": {"json": {name: OPTIONS[name], "listings": [ROW]}},
    }

    answer = shared_api.post("/api/import", params={name: other[name]}, **body[way])

    assert (422, "conflicting_options", name) == (
        answer.status_code,
        answer.json()["code"],
        answer.json()["parameter"],
    )


def test_abort_stores_nothing_and_keeps_the_import(api: httpx.Client, sample: bytes) -> None:
    """`on_error=abort`: 422 with everything that a report has of it; the import stays, failed, with its rejections."""
    answer = api.post("/api/import?on_error=abort", content=sample, headers={"Content-Type": "text/csv"})
    problem = answer.json()
    report = api.get(f"/api/imports/{problem['import_id']}").json()

    assert (422, 10, 0, 2) == counts(answer)
    assert PROBLEM | CARRIED == set(problem)
    assert ("failed", 10, 0, 2) == (report["status"], *(report[name] for name in COUNTS))
    assert "rejected_records" == problem["code"] == report["failure"]["code"]
    assert (
        [9, 10, 10, 10]
        == [error["import_index"] for error in problem["errors"]]
        == [error["import_index"] for error in report["errors"]]
    )
    assert [] == api.get("/api/listings").json()
    assert [] == api.get("/api/listings", params={"import_id": problem["import_id"]}).json()


def test_no_valid_row_is_a_failure_with_its_import(api: httpx.Client) -> None:
    """A batch without one valid record answers 422 and says why, record by record."""
    answer = api.post("/api/import", json=[BAD_ROW, BAD_ROW])

    assert (422, 2, 0, 2) == counts(answer)
    assert "no_valid_record" == answer.json()["code"]
    assert {"not_a_number": 2} == answer.json()["error_counts"]


FILE_FAULTS: dict[str, tuple[bytes, str]] = {
    "zero bytes": (b"", "empty_file"),
    "header only": (",".join(ROW).encode() + b"\n", "empty_file"),
    "missing column": (b"canonical_model,price\nA,1\n", "missing_column"),
    "duplicate header": (",".join([*ROW, "price"]).encode() + b"\n", "duplicate_header"),
    "unterminated quote": (",".join(ROW).encode() + b'\n"A,1,1,1,1,1,1\n', "unterminated_quote"),
    "NUL": (",".join(ROW).encode() + b"\nA,1,1,1,1,1\0,1\n", "nul_byte"),
    "UTF-16": ((",".join(ROW) + "\n").encode("utf-16"), "wrong_encoding"),
}


@pytest.mark.parametrize("name", FILE_FAULTS)
def test_a_fault_of_the_file_is_located_and_keeps_its_import(shared_api: httpx.Client, name: str) -> None:
    """The problem says where; every read of the failed import answers."""
    body, code = FILE_FAULTS[name]

    answer = shared_api.post("/api/import", content=body, headers={"Content-Type": "text/csv"})
    problem = answer.json()
    own = f"/api/imports/{problem['import_id']}"
    reads = [own, f"{own}/rejections", f"{own}/rejections?format=csv", f"{own}/events", f"{own}/artifact"]

    assert (422, code) == (answer.status_code, problem["code"])
    assert PROBLEM | CARRIED | {"line"} <= set(problem)
    assert [200] * len(reads) == [shared_api.get(path).status_code for path in reads]


def test_the_same_bytes_again_are_a_new_import_that_names_the_first(api: httpx.Client, sample: bytes) -> None:
    """`duplicate_of` names a published import of the same source with the same artifact."""
    csv = {"Content-Type": "text/csv"}
    first, again, elsewhere = (
        api.post("/api/import", params={"source": source}, content=sample, headers=csv).json() for source in "aab"
    )

    assert [None, first["import_id"], None] == [report["duplicate_of"] for report in (first, again, elsewhere)]
    assert [1, 2, 1] == [report["source_version"] for report in (first, again, elsewhere)]
    assert [None, first["import_id"], None] == [r["previous_import_id"] for r in (first, again, elsewhere)]


def test_an_answer_that_cannot_wait_says_where_it_will_be(make_api: Callable[..., httpx.Client], sample: bytes) -> None:
    """With no time to wait: 202, `Location`, and an import that is not lost."""
    api = make_api(worker=False, wait_seconds=0)

    answer = api.post("/api/import", content=sample, headers={"Content-Type": "text/csv"})
    report = api.get(answer.headers["Location"]).json()

    assert (202, "received") == (answer.status_code, report["status"])
    assert (0, 0, None, 0) == tuple(
        report["progress"][name] for name in ("records_done", "bytes_done", "eta_seconds", "waiting_before")
    )
    assert "1" == answer.headers["Retry-After"]
    assert {"import_id", "received", "count", "errors"} <= set(answer.json())


def test_a_full_queue_is_refused_before_the_body_is_read(make_api: Callable[..., httpx.Client], sample: bytes) -> None:
    """429 with `Retry-After`, and no import."""
    api = make_api(worker=False, wait_seconds=0, max_queue=2)
    csv = {"Content-Type": "text/csv"}

    answers = [api.post("/api/import", content=sample, headers=csv) for _ in range(3)]

    assert [202, 202, 429] == [answer.status_code for answer in answers]
    assert ("queue_full", "5") == (answers[2].json()["code"], answers[2].headers["Retry-After"])
    assert 2 == len(api.get("/api/imports").json()["items"])


@pytest.mark.parametrize("way", ["declared", "streamed", "form", "json"])
def test_a_body_over_the_limit_is_refused(make_api: Callable[..., httpx.Client], way: str) -> None:
    """413 by `Content-Length` or as the bytes come, and neither an import nor a file stays."""
    api = make_api(max_body_bytes=5000, max_json_bytes=4000, worker=False)
    chunks = (b"x" * 1000 for _ in range(6))
    requests: dict[str, dict[str, Any]] = {
        "declared": {"content": b"x" * 5001, "headers": {"Content-Type": "text/csv"}},
        "streamed": {"content": chunks, "headers": {"Content-Type": "text/csv"}},
        "form": {"files": {"file": ("a.csv", b"x" * 5000)}},
        "json": {"content": b" " * 4001, "headers": JSON},
    }

    answer = api.post("/api/import", **requests[way])

    assert (413, "body_too_large") == (answer.status_code, answer.json()["code"])
    assert {"items": [], "next": None} == api.get("/api/imports").json()


def test_a_body_at_the_limit_is_taken(make_api: Callable[..., httpx.Client], sample: bytes) -> None:
    """The limit itself is accepted."""
    api = make_api(max_body_bytes=len(sample))

    assert 201 == api.post("/api/import", content=sample, headers={"Content-Type": "text/csv"}).status_code


def test_an_import_that_is_discarded_while_its_client_waits_answers_so(
    make_api: Callable[..., httpx.Client], sample: bytes
) -> None:
    """The waiting client is told: 409 with the import's id."""
    api = make_api(worker=False, wait_seconds=0)
    import_id = api.post("/api/import", content=sample, headers={"Content-Type": "text/csv"}).json()["import_id"]

    report = api.post(f"/api/imports/{import_id}/discard").json()

    assert ("discarded", 0) == (report["status"], report["count"])
