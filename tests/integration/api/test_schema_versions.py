"""Schema versions: what a client of each one is answered, and that one more is data."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from glyphd.domain.listing import FIELDS, SCHEMA_VERSIONS, fields_of
from glyphd.settings import Settings

OWN = {"id", "import_id", "import_index", "listing_key", "created_at"}

DECLARED = """
import dataclasses
from glyphd.domain import listing
listing.SCHEMA_VERSIONS += ("v1.2",)
listing.FIELDS = tuple(
    dataclasses.replace(field, since="v1.2") if field.name == "source_type" else field for field in listing.FIELDS
)
"""

NEXT_VERSION = """
import json, sys
from pathlib import Path

from glyphd.bootstrap import build_context
from glyphd.settings import Settings
from tests.serving import serving, working
from tools.reference import row_contract

settings = Settings(database_url=sys.argv[1], artifacts_url=sys.argv[2])
context = build_context(settings)
found = {"reference": "\\n".join(row_contract())}
with working(context), serving(settings, context) as client:
    for version in ("v1.1", "v1.2"):
        send = {"content": Path(sys.argv[3]).read_bytes(), "headers": {"content-type": "text/csv"}}
        asked = {"params": {"schema_version": version}}
        report = client.post("/api/import", **send, **asked).json()
        rows = {"import_id": report["import_id"], **asked["params"]}
        found[version] = {
            "report": report,
            "validation": client.post("/api/import/validate", **send, **asked).json(),
            "schema": client.get(f"/api/schema/{version}").json(),
            "listing": client.get("/api/listings", params=rows).json()[0],
        }
    found["openapi"] = client.get("/api/openapi.json").json()
    found["versions"] = client.get("/api/schema/versions").json()
context.database.dispose()
print(json.dumps(found))
"""


def send(api: httpx.Client, body: bytes, **options: str) -> dict[str, Any]:
    """Import a CSV, and return its report."""
    answer = api.post("/api/import", content=body, params=options, headers={"content-type": "text/csv"})
    report: dict[str, Any] = answer.json()
    return report


@pytest.mark.parametrize("version", SCHEMA_VERSIONS)
def test_listings_have_the_fields_of_the_version_asked_for(api: httpx.Client, sample: bytes, version: str) -> None:
    """Beside where they came from; the pages that follow are of the same version."""
    assert "v1.1" == send(api, sample)["schema_version"]
    answer = api.get("/api/listings", params={"schema_version": version, "limit": 3})

    assert [OWN | {field.name for field in fields_of(version)}] * 3 == [set(row) for row in answer.json()]
    assert f"schema_version={version}" in answer.headers["link"]


def test_listings_have_every_field_unless_a_version_is_named(api: httpx.Client, sample: bytes) -> None:
    """Also those that are null."""
    send(api, sample, schema_version="v1.0")
    [row] = api.get("/api/listings", params={"limit": 1}).json()

    assert OWN | {field.name for field in FIELDS} == set(row)
    assert row["seller"] is None


def test_a_client_of_the_first_version_is_served(api: httpx.Client, sample: bytes) -> None:
    """Its fields are stored, what the version does not have is named as ignored, and the report says the version."""
    report = send(api, sample, schema_version="v1.0")

    assert ("v1.0", 8, 2) == (report["schema_version"], report["count"], report["rejected"])
    assert {"seller", "seen_at"} <= set(report["ignored_columns"])


@pytest.mark.parametrize("call", ["/api/import", "/api/import/validate", "/api/listings"])
@pytest.mark.parametrize("version", ["v9.9", "1.0", ""])
def test_an_unsupported_version_is_refused_with_those_that_are(
    api: httpx.Client, sample: bytes, call: str, version: str
) -> None:
    """Wherever it is said, and nothing is stored."""
    given = {"params": {"schema_version": version}}
    post = {"content": sample, "headers": {"content-type": "text/csv"}}
    answer = api.get(call, **given) if call.endswith("listings") else api.post(call, **post, **given)

    assert (422, "unsupported_schema_version") == (answer.status_code, answer.json()["code"])
    assert list(SCHEMA_VERSIONS) == answer.json()["supported"]
    assert [] == api.get("/api/imports").json()["items"]


def test_a_version_more_is_data(make_settings: Callable[..., Settings], tmp_path: Path) -> None:
    """With one entry and `since` on a field a v1.2 is read, checked, shown, documented; v1.1 goes on without it."""
    settings = make_settings()
    (tmp_path / "sitecustomize.py").write_text(DECLARED)  # so that the processes that it starts know of it
    root = Path(__file__).parents[3]
    places = (settings.database_url, str(tmp_path / "artifacts"), str(root / "sample" / "scored_sample.csv"))
    ran = subprocess.run(
        [sys.executable, "-c", NEXT_VERSION, *map(str, places)],
        cwd=root,
        env={**os.environ, "PYTHONPATH": f"{tmp_path}{os.pathsep}{root}"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert 0 == ran.returncode, ran.stderr
    found = json.loads(ran.stdout.splitlines()[-1])
    old, new = found["v1.1"], found["v1.2"]

    assert ["v1.0", "v1.1", "v1.2"] == found["versions"]["supported"]
    assert (["source_type"], []) == (old["report"]["ignored_columns"], new["report"]["ignored_columns"])
    assert ("v1.2", 8) == (new["report"]["schema_version"], new["report"]["count"])
    assert ["v1.0", "v1.1", "v1.2"] == new["validation"]["satisfies"]
    assert (False, "reseller") == ("source_type" in old["listing"], new["listing"]["source_type"])
    assert [False, True] == ["source_type" in json.dumps(each["schema"]) for each in (old, new)]
    assert '"v1.2"' in json.dumps(found["openapi"]["paths"]["/api/import"])
    assert "v1.2" in found["reference"]
