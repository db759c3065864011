"""Imports by their state: what each can be asked, what each shows, and that hostile text is only text."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from glyphd.domain.imports import ROWS_TO_REMOVE, Status
from glyphd.store.imports import update_import

CSV = {"Content-Type": "text/csv"}


def submit(api: httpx.Client, body: bytes) -> dict[str, Any]:
    """Import a CSV and return its report."""
    report: dict[str, Any] = api.post("/api/import", content=body, headers=CSV).json()
    return report


DISCARDABLE = {Status.RECEIVED: 200, Status.RUNNING: 200, Status.STAGED: 200, Status.DISCARDED: 200}
STATES = [status for status in Status if status is not Status.PURGED]


@pytest.fixture
def make_state(
    make_api: Callable[..., httpx.Client], make_context: Callable[..., Any], sample: bytes
) -> Callable[..., tuple[httpx.Client, str]]:
    """Serve an API with one import in a given state; one that has rows was really run."""

    def make(status: Status) -> tuple[httpx.Client, str]:
        ran = status not in {Status.RECEIVED, Status.RUNNING}
        api = make_api(worker=ran, wait_seconds=60 if ran else 0)
        import_id = submit(api, sample)["import_id"]
        with make_context().database.writing() as work:
            counts = {"count": 0} if status in ROWS_TO_REMOVE else {}
            update_import(work.connection, import_id, {"status": status, **counts})
            work.commit()
        return api, import_id

    return make


@pytest.mark.parametrize("status", STATES)
def test_discard_in_each_state(make_state: Callable[..., tuple[httpx.Client, str]], status: Status) -> None:
    """What nobody reads yet can be discarded, twice with one effect; anything else is a 409 that names the state."""
    api, import_id = make_state(status)
    events = f"/api/imports/{import_id}/events"

    first = api.post(f"/api/imports/{import_id}/discard", json={"reason": "half a crawl"}, headers={"X-Actor": "ana"})
    after_first = api.get(events).json()
    again = api.post(f"/api/imports/{import_id}/discard")

    if status in DISCARDABLE:
        assert (200, "discarded", 0) == (first.status_code, first.json()["status"], first.json()["count"])
        assert (200, after_first) == (again.status_code, api.get(events).json())
    else:
        assert (409, 409, 409) == (first.status_code, again.status_code, first.json()["status"])
        assert status == first.json()["import_status"]
        assert status in first.json()["detail"]
    if status in {Status.RECEIVED, Status.RUNNING, Status.STAGED}:
        last = after_first["items"][-1]
        assert ("ana", "discarded", "half a crawl") == (last["actor"], last["action"], last["reason"])


@pytest.mark.parametrize("status", STATES)
def test_what_reads_show_in_each_state(make_state: Callable[..., tuple[httpx.Client, str]], status: Status) -> None:
    """Unnamed reads show a published import only; a named one shows a staged one too, and else nothing (G3)."""
    api, import_id = make_state(status)
    own = f"/api/imports/{import_id}"
    unnamed = 8 if status is Status.PUBLISHED else 0
    named = 8 if status in {Status.PUBLISHED, Status.STAGED} else 0
    reads = [own, f"{own}/rejections", f"{own}/rejections?format=csv", f"{own}/artifact", f"{own}/events"]

    assert unnamed == len(api.get("/api/listings").json())
    assert named == len(api.get(f"/api/listings?import_id={import_id}").json())
    assert bool(unnamed) == bool(api.get("/api/models").json())
    assert bool(unnamed) == bool(api.get("/api/sources").json()["items"][0]["current_import_id"])
    assert [200] * 5 == [api.get(path).status_code for path in reads]


@pytest.mark.parametrize(
    ("body", "media_type", "status"),
    [
        (b"", None, 200),
        (b"null", "application/json", 200),
        (b'{"reason": "x"}', "application/x-www-form-urlencoded", 200),
        (b'{"reason": null}', "application/json", 200),
        (b"{", "application/json", 400),
        (b"[]", "application/json", 422),
        (b'{"reason": 3}', "application/json", 422),
        (b'{"colour": "red"}', "application/json", 422),
        (b'{"reason": "\\u0000"}', "application/json", 422),
        (b'{"reason": "\\ud800"}', "application/json", 400),
        (b'{"reason": "' + b"x" * 1001 + b'"}', "application/json", 422),
        (b" " * 20_000, "application/json", 413),
        (b"x", "text/plain", 415),
    ],
)
def test_the_body_of_a_discard(
    make_api: Callable[..., httpx.Client], sample: bytes, body: bytes, media_type: str | None, status: int
) -> None:
    """A reason may come along; anything else changes nothing."""
    api = make_api(worker=False, wait_seconds=0)
    own = f"/api/imports/{submit(api, sample)['import_id']}"

    answer = api.post(f"{own}/discard", content=body, headers={"Content-Type": media_type} if media_type else {})

    assert status == answer.status_code
    assert ("discarded" if status == 200 else "received") == api.get(own).json()["status"]


HOSTILE = [
    "=1+1",
    "@SUM(A1)",
    "<script>alert(1)</script>",
    "\u202etxt.exe",
    "💾 \U0001d53e",
    "[bold]x[/]",
    "a\u0085b",
    "'; DROP TABLE",
]


@pytest.mark.parametrize("value", HOSTILE)
def test_hostile_values_are_only_text(shared_api: httpx.Client, value: str) -> None:
    """They come back as they came, can be filtered by, and are served as JSON that nobody sniffs."""
    record = {"canonical_model": value, "vram_gb": 1, "mig_support": 0, "nvlink": False, "tdp_watts": 9}
    record |= {"price": 1, "score": 1, "seller": value, "region": value, "notes": value}
    report = shared_api.post("/api/import", params={"source": "x" + value.replace("\u0085", "")}, json=[record]).json()

    for name in ("model", "seller", "q", "region"):
        answer = shared_api.get("/api/listings", params={name: value, "import_id": report["import_id"]})
        assert [value] * 3 == [answer.json()[0][field] for field in ("canonical_model", "seller", "notes")]
        assert "application/json" == answer.headers["Content-Type"]


@pytest.mark.parametrize("verb", ["rollback", "restore"])
@pytest.mark.parametrize("status", STATES)
def test_roll_back_and_restore_in_each_state(
    make_state: Callable[..., tuple[httpx.Client, str]], status: Status, verb: str
) -> None:
    """What is published or rolled back can be either, twice with one effect; else a 409 names the state."""
    api, import_id = make_state(status)
    events = f"/api/imports/{import_id}/events"

    first = api.post(f"/api/imports/{import_id}/{verb}", json={"reason": "half a crawl"}, headers={"X-Actor": "ana"})
    after_first = api.get(events).json()
    again = api.post(f"/api/imports/{import_id}/{verb}")

    if status in {Status.PUBLISHED, Status.ROLLED_BACK}:
        wanted = {"rollback": Status.ROLLED_BACK, "restore": Status.PUBLISHED}[verb]
        assert (200, wanted, status is not wanted) == (
            first.status_code,
            first.json()["status"],
            first.json()["changed"],
        )
        assert (200, False, after_first) == (again.status_code, again.json()["changed"], api.get(events).json())
        shown = api.get("/api/listings", params={"import_id": import_id}).json()
        assert bool(shown) is (verb == "restore")
    else:
        assert (409, 409, status) == (first.status_code, again.status_code, first.json()["import_status"])
        assert verb not in first.json()["possible"]
