"""Reads of imports, and taking them out: reports, rejections, artifacts, events, sources, models, discard."""

import base64
import csv
import io
import json
from typing import Any

import httpx
import pytest

from glyphd.api import examples

CSV = {"Content-Type": "text/csv"}
UNKNOWN = "01997c1e-4a00-7d5e-9c39-0f6a4cf0a1b2"
HEADER = "canonical_model,vram_gb,mig_support,nvlink,tdp_watts,price,score,notes"


def submit(api: httpx.Client, body: bytes, **query: str) -> dict[str, Any]:
    """Import a CSV and return its report."""
    answer = api.post("/api/import", params=query, content=body, headers=CSV)
    assert answer.status_code in {201, 202}, answer.text
    report: dict[str, Any] = answer.json()
    return report


# fmt: off
REPORT_MEMBERS = {
    "import_id", "status", "schema_version", "source", "source_version", "previous_import_id", "parent_import_id",
    "kind", "campaign_id", "metadata", "observed_at", "imported_at", "completed_at", "duration_ms", "received", "count",
    "rejected", "warning_counts", "errors", "error_counts", "errors_truncated", "ignored_columns", "duplicate_of",
    "price_range", "score_range", "top_models", "artifacts", "progress", "gates", "failure", "published_at", "links",
}  # DESIGN §6
# fmt: on


def test_a_report_has_the_members_of_the_design(shared_api: httpx.Client, sample: bytes) -> None:
    """The report's shape is the documented one, member by member, in the answer, the list and by id."""
    report = submit(shared_api, sample)
    listed = shared_api.get("/api/imports?limit=1").json()["items"][0]

    assert REPORT_MEMBERS == set(report) == set(listed)
    assert ["import_index", "field", "code", "message", "value"] == list(report["errors"][0])
    assert ["model", "count"] == list(report["top_models"][0])
    assert ["role", "sha256", "bytes", "filename", "media_type"] == list(report["artifacts"][0])


def test_the_examples_are_what_the_sample_answers(api: httpx.Client, sample: bytes) -> None:
    """The examples in the OpenAPI document are answers of this very service to the sample."""
    file = {"file": ("scored_sample.csv", sample)}
    report = api.post("/api/import?source=wamatek", files=file).json()
    own = f"/api/imports/{report['import_id']}"
    moments = ("observed_at", "imported_at", "completed_at", "published_at", "duration_ms", "created_at", "at")
    moments = (*moments, "latest_imported_at", "current_observed_at", "current_published_at", "last_seen_at", "actor")

    def same(example: Any, found: Any) -> None:
        text = json.dumps(found).replace(report["import_id"], examples.IMPORT_ID)
        found = json.loads(text)
        assert {n: v for n, v in example.items() if n not in moments} == {
            n: v for n, v in found.items() if n not in moments
        }

    same(examples.REPORT, report)
    same(examples.LISTING, api.get("/api/listings").json()[0])
    same(examples.REJECTION, api.get(f"{own}/rejections").json()["items"][0])
    same(examples.EVENT, api.get(f"{own}/events").json()["items"][-1])
    same(examples.MODEL, api.get("/api/models").json()[0])
    same(examples.SOURCE, api.get("/api/sources").json()["items"][0])
    assert sample.startswith(examples.CSV.encode())
    assert api.get(f"{own}/rejections?format=csv").text.startswith(examples.REJECTIONS_CSV)


def test_imports_are_listed_newest_first_and_filtered(api: httpx.Client, sample: bytes) -> None:
    """By source, status and time of receipt, and paged by cursor."""
    ids = [submit(api, sample, source=source)["import_id"] for source in ("a", "b", "a", "b", "a")]
    failed = api.post("/api/import?source=a", content=b"x", headers=CSV).json()["import_id"]
    third = api.get(f"/api/imports/{ids[2]}").json()["imported_at"]

    def listed(query: str) -> list[str]:
        return [report["import_id"] for report in api.get(f"/api/imports?{query}").json()["items"]]

    assert [failed, *ids[::-1]] == listed("")
    assert [ids[3], ids[1]] == listed("source=b")
    assert [failed] == listed("status=failed")
    assert [failed, *ids[::-1]] == listed("status=failed&status=published")
    assert [failed, *ids[:1:-1]] == listed(f"since={third}")
    assert [ids[1], ids[0]] == listed(f"until={third}")


def test_a_list_of_imports_is_walked_by_cursor(api: httpx.Client, sample: bytes) -> None:
    """`next` and `Link` lead through all of them once."""
    ids = [submit(api, sample)["import_id"] for _ in range(5)]
    walked, url = [], "/api/imports?limit=2&source=default"
    while url:
        answer = api.get(url)
        walked += [report["import_id"] for report in answer.json()["items"]]
        url = answer.links.get("next", {}).get("url", "")
        assert ("cursor=" + str(answer.json()["next"]) in url) == bool(url)

    assert ids[::-1] == walked


def test_a_list_of_imports_is_sorted(api: httpx.Client, sample: bytes) -> None:
    """And walked in that order; the last page says so."""
    ids = [submit(api, sample, observed_at=f"2026-07-0{day}")["import_id"] for day in (2, 3, 1)]
    first = api.get("/api/imports?sort=observed_at&limit=2").json()
    rest = api.get("/api/imports", params={"sort": "observed_at", "cursor": first["next"]}).json()

    assert [ids[2], ids[0]] == [report["import_id"] for report in first["items"]]
    assert ([ids[1]], None) == ([report["import_id"] for report in rest["items"]], rest["next"])


@pytest.mark.parametrize(
    "query", ["sort=size", "status=gone", "since=x", "limit=0", "limit=1001", "colour=red", "status=", "since="]
)
def test_a_filter_of_imports_that_is_not_accepted_is_refused(shared_api: httpx.Client, query: str) -> None:
    """422 for a value or a name that is not known."""
    assert 422 == shared_api.get(f"/api/imports?{query}").status_code


@pytest.mark.parametrize("path", ["", "/rejections", "/rejections?format=csv", "/artifact", "/events"])
@pytest.mark.parametrize(("import_id", "status"), [(UNKNOWN, 404), ("12", 422), ("%00", 422), ("x" * 129, 422)])
def test_an_import_that_is_not_there(shared_api: httpx.Client, path: str, import_id: str, status: int) -> None:
    """404 for an id that could be one, 422 for one that could not."""
    assert status == shared_api.get(f"/api/imports/{import_id}{path}").status_code


def bad_lines(count: int) -> bytes:
    """Return a CSV of so many bad records after one good one."""
    return "\n".join([HEADER, "A,1,1,1,1,1,1,", *(f"B{n},1,1,1,1,none,1,note {n}" for n in range(count))]).encode()


def test_rejections_are_paged(shared_api: httpx.Client) -> None:
    """Pages by cursor give every rejection once, by import_index."""
    report = submit(shared_api, bad_lines(7))
    walked, url = [], f"{report['links']['rejections']}?limit=3"
    while url:
        answer = shared_api.get(url)
        walked += [rejection["import_index"] for rejection in answer.json()["items"]]
        url = answer.links.get("next", {}).get("url", "")

    assert list(range(2, 9)) == walked


def test_a_long_list_of_errors_says_that_it_is_cut(shared_api: httpx.Client) -> None:
    """100 errors are in the report, with true totals; the rest is in the rejections."""
    report = submit(shared_api, bad_lines(130))

    assert (100, True, 130) == (len(report["errors"]), report["errors_truncated"], report["rejected"])
    assert {"not_a_number": 130} == report["error_counts"]


def test_rejections_as_csv_can_be_mended_and_sent_again(shared_api: httpx.Client) -> None:
    """The original columns and cells, `import_index` and `_issues`; cells that begin with `=` stay as they are."""
    body = f'{HEADER}\nA,1,1,1,1,1,1,\n=1+1,1,1,1,1,none,1,"two\nlines, ""quoted"""\nB,1,1,1,1,1,1,x,extra\n'.encode()
    report = submit(shared_api, body)
    answer = shared_api.get(f"{report['links']['rejections']}?format=csv")
    rows = list(csv.reader(io.StringIO(answer.text, newline="")))

    mended = answer.text.replace("none", "5").encode()
    again = submit(shared_api, mended)

    assert ["import_index", "_issues", *HEADER.split(",")] == rows[0]
    assert ["2", "price: not_a_number", "=1+1", "1", "1", "1", "1", "none", "1", 'two\nlines, "quoted"'] == rows[1]
    assert ["3", "record: ragged_row", "B", "1", "1", "1", "1", "1", "1", "x", "extra"] == rows[2]
    assert ("text/csv; charset=utf-8", "nosniff") == (
        answer.headers["Content-Type"],
        answer.headers["X-Content-Type-Options"],
    )
    assert (2, 1) == (again["received"], again["count"])


def test_bytes_that_are_not_utf8_are_kept(shared_api: httpx.Client) -> None:
    """In JSON a rejection carries them as base64, in CSV as they came."""
    line = b"B,1,1,1,1,1,1,caf\xe9 \xff"
    report = submit(shared_api, HEADER.encode() + b"\nA,1,1,1,1,1,1,\n" + line + b"\n")
    link = report["links"]["rejections"]

    rejection = shared_api.get(link).json()["items"][0]

    assert ("base64", line) == (rejection["raw_encoding"], base64.b64decode(rejection["raw"]))
    assert [{"field": None, "code": "invalid_encoding"}] == [
        {name: issue[name] for name in ("field", "code")} for issue in rejection["issues"]
    ]
    assert line in shared_api.get(f"{link}?format=csv").content


def test_rejections_of_json_as_csv_have_all_their_members(shared_api: httpx.Client) -> None:
    """Columns are the members of all rejected records, in the order they first come."""
    good = dict.fromkeys(HEADER.split(",")[1:7], 1) | {"canonical_model": "A"}
    records = [good, {**good, "price": "none", "seller": "=cmd"}, {"colour": {"r": 1}}, 3]
    report = shared_api.post("/api/import", json=records).json()

    rows = list(csv.DictReader(io.StringIO(shared_api.get(f"{report['links']['rejections']}?format=csv").text)))

    assert [("2", "none", "=cmd", ""), ("3", "", "", '{"r": "1"}'), ("4", "", "", "")] == [
        (row["import_index"], row["price"], row["seller"], row["colour"]) for row in rows
    ]


def test_events_tell_who_did_what(api: httpx.Client, sample: bytes) -> None:
    """The client's name comes from `X-Actor`, the request's id is kept, and pages give every event once."""
    headers = {**CSV, "X-Actor": "night crawl", "X-Request-ID": "crawl-17"}
    answer = api.post("/api/import", content=sample, headers=headers)
    link = answer.json()["links"]["events"]
    events = api.get(link).json()["items"]
    walked, url = [], f"{link}?limit=1"
    while url:
        page = api.get(url)
        walked += page.json()["items"]
        url = page.links.get("next", {}).get("url", "")

    assert [("night crawl", "received"), ("worker", "started"), ("worker", "published")] == [
        (event["actor"], event["action"]) for event in events
    ]
    assert ("crawl-17", "crawl-17") == (events[0]["details"]["request_id"], answer.headers["X-Request-ID"])
    assert events == walked


@pytest.mark.parametrize("actor", ["x" * 129, "a\tb", "é".encode()])
def test_an_actor_that_no_log_should_hold_is_refused(shared_api: httpx.Client, sample: bytes, actor: Any) -> None:
    """`X-Actor` is short and printable."""
    assert 422 == shared_api.post("/api/import", content=sample, headers={**CSV, "X-Actor": actor}).status_code


@pytest.mark.parametrize("request_id", ["a b", "x" * 65, '"', "é".encode()])
def test_a_request_id_that_is_not_plain_is_replaced(shared_api: httpx.Client, request_id: Any) -> None:
    """An id that could break a log line is not taken over."""
    answered = shared_api.get("/api/health", headers={"X-Request-ID": request_id}).headers["X-Request-ID"]

    assert (32, True) == (len(answered), answered.isalnum())


def test_sources_and_models_show_the_current_view(api: httpx.Client, sample: bytes) -> None:
    """A source is its newest import and its latest published batch; a model the market in those batches."""
    submit(api, sample, source="a", observed_at="2026-11-20")
    late = submit(api, sample, source="a", observed_at="2026-11-01")
    submit(api, sample.replace(b"2495.00", b"2000"), source="b")
    api.post("/api/import?source=b", content=b"x", headers=CSV)

    sources = api.get("/api/sources").json()["items"]
    l4 = next(model for model in api.get("/api/models").json() if model["model"] == "L4")

    assert [("a", 2, 1, "published"), ("b", 2, 1, "failed")] == [
        (source["source"], source["imports"], source["source_version"], source["latest_status"]) for source in sources
    ]
    assert late["import_id"] == sources[0]["latest_import_id"] != sources[0]["current_import_id"]
    assert (2, 2000.0, 2247.5, 2495.0, 24) == tuple(
        l4[name] for name in ("listing_count", "min_price", "median_price", "max_price", "vram_gb")
    )


def test_models_are_paged_by_name(shared_api: httpx.Client, sample: bytes) -> None:
    """Pages by cursor give every model once, by name."""
    submit(shared_api, sample)
    names = [model["model"] for model in shared_api.get("/api/models").json()]
    walked, url = [], "/api/models?limit=2"
    while url:
        answer = shared_api.get(url)
        walked += [model["model"] for model in answer.json()]
        url = answer.links.get("next", {}).get("url", "")

    assert sorted(names) == names == walked
