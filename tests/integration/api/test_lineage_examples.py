"""The examples of reports and digests in the OpenAPI document are what the service answers."""

from typing import Any

import httpx

from glyphd.api.examples import CSV, IMPORT_ID
from glyphd.api.lineage_examples import MARKET_REPORT, PREVIOUS_ID, ROW_DIGEST

OBSERVED_AT = "2026-11-20T09:00:00Z"


def submit(api: httpx.Client, content: str, observed_at: str) -> dict[str, Any]:
    """Import a batch, and return its report."""
    params = {"source": "wamatek", "observed_at": observed_at}
    answer = api.post("/api/import", params=params, content=content, headers={"Content-Type": "text/csv"})
    assert 201 == answer.status_code, answer.text
    report: dict[str, Any] = answer.json()
    return report


def test_examples_are_what_is_answered(api: httpx.Client) -> None:
    """Member for member, but for ids and the time of receipt; of the Markdown the example has the beginning."""
    before = submit(api, CSV.replace("28450.00", "27990.00"), "2026-11-13T09:00:00Z")
    now = submit(api, CSV, OBSERVED_AT)
    import_id = now["import_id"]

    def told(path: str) -> dict[str, Any]:
        text = api.get(path).raise_for_status().text
        text = text.replace(import_id, IMPORT_ID).replace(before["import_id"], PREVIOUS_ID)
        found: dict[str, Any] = httpx.Response(200, text=text.replace(now["imported_at"], OBSERVED_AT)).json()
        return found

    report = told(f"/api/report?import_id={import_id}")
    assert report["markdown"].startswith(MARKET_REPORT["markdown"])
    assert MARKET_REPORT == {**report, "markdown": MARKET_REPORT["markdown"]}
    assert ROW_DIGEST == told(f"/api/imports/{import_id}/digest")
    responses = api.get("/api/openapi.json").json()["paths"]
    for path, example in (("/api/report", MARKET_REPORT), ("/api/imports/{import_id}/digest", ROW_DIGEST)):
        assert example == responses[path]["get"]["responses"]["200"]["content"]["application/json"]["example"]
