"""`GET /api/imports/{id}/artifact`: the bytes as submitted, whole or in part."""

import base64
import hashlib
from typing import Any

import httpx
import pytest

CSV = {"Content-Type": "text/csv"}


def submit(api: httpx.Client, body: bytes) -> dict[str, Any]:
    """Import a CSV and return its report."""
    report: dict[str, Any] = api.post("/api/import", content=body, headers=CSV).json()
    return report


def test_an_artifact_is_the_bytes_as_submitted(shared_api: httpx.Client, sample: bytes) -> None:
    """Identical bytes, their digest, their name, and no guessing of their type."""
    file = {"file": ("scored_sample.csv", sample)}
    report = shared_api.post("/api/import", files=file).json()
    answer = shared_api.get(report["links"]["artifact"])
    digest = hashlib.sha256(sample).digest()

    assert sample == answer.content
    assert f"sha-256=:{base64.b64encode(digest).decode()}:" == answer.headers["Repr-Digest"]
    assert "nosniff" == answer.headers["X-Content-Type-Options"]
    assert "attachment; filename*=utf-8''scored_sample.csv" == answer.headers["Content-Disposition"]
    assert (digest.hex(), len(sample)) == (report["artifacts"][0]["sha256"], report["artifacts"][0]["bytes"])
    assert 404 == shared_api.get(f"{report['links']['artifact']}?role=enriched").status_code
    assert sample == shared_api.get(f"{report['links']['artifact']}?role=batch").content


@pytest.mark.parametrize(
    ("asked", "status", "kept"),
    [
        ("bytes=0-9", 206, slice(0, 10)),
        ("bytes=10-", 206, slice(10, None)),
        ("bytes=-5", 206, slice(-5, None)),
        ("bytes=-99999", 206, slice(None)),
        ("bytes=0-99999999", 206, slice(None)),
        ("bytes=99999-", 416, None),
        ("bytes=-0", 416, None),
        ("bytes=9-2", 200, slice(None)),
        ("bytes=x", 200, slice(None)),
        ("bytes=-", 200, slice(None)),
        ("bytes=0-1,5-6", 200, slice(None)),
        ("lines=0-1", 200, slice(None)),
        ("bytes=" + "9" * 5000 + "-", 200, slice(None)),
    ],
)
def test_a_range_of_an_artifact(
    shared_api: httpx.Client, sample: bytes, asked: str, status: int, kept: slice | None
) -> None:
    """One range is answered, one beyond the end is a 416 problem, anything else is ignored."""
    link = submit(shared_api, sample)["links"]["artifact"]

    answer = shared_api.get(link, headers={"Range": asked})

    assert status == answer.status_code
    if kept is None:
        assert ("range_not_satisfiable", f"bytes */{len(sample)}") == (
            answer.json()["code"],
            answer.headers["Content-Range"],
        )
    else:
        assert sample[kept] == answer.content


def test_a_range_of_another_state_is_ignored(shared_api: httpx.Client, sample: bytes) -> None:
    """`If-Range` with the ETag gives the range, with any other the whole."""
    link = submit(shared_api, sample)["links"]["artifact"]
    etag = shared_api.get(link).headers["ETag"]

    statuses = [
        shared_api.get(link, headers={"Range": "bytes=0-1", "If-Range": tag}).status_code for tag in (etag, '"other"')
    ]

    assert [206, 200] == statuses
