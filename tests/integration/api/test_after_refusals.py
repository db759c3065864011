"""What a refused request leaves behind, and what goes on being answered meanwhile."""

import sqlite3
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from glyphd.settings import Settings
from tests.engines import only_sqlite

CSV = b"canonical_model,vram_gb,mig_support,nvlink,tdp_watts,price,score\nL4,24,0,False,72,2495,47.3\n"


@pytest.mark.parametrize(
    "form",
    [{"source": "b"}, {"schema_version": "v7"}, {"metadata": "[]"}],
    ids=["options that disagree", "unknown schema version", "metadata that is no object"],
)
def test_a_refused_body_leaves_no_bytes(
    make_settings: Callable[..., Settings], api: httpx.Client, form: dict[str, str]
) -> None:
    """Options are read before the bytes are kept: a 422 without an import_id means that nothing was."""
    answer = api.post("/api/import?source=a", files={"file": ("x.csv", CSV)}, data=form)
    artifacts: Path = make_settings().artifacts_folder

    assert 422 == answer.status_code
    assert "import_id" not in answer.json()
    assert [] == [path for path in artifacts.rglob("*") if path.is_file()]


def test_null_options_of_json_are_not_given(api: httpx.Client) -> None:
    """A report says `"campaign_id": null`; so may a request."""
    row = {"canonical_model": "L4", "vram_gb": 24, "mig_support": 0, "nvlink": False, "tdp_watts": 72}
    body = {"campaign_id": None, "source": None, "listings": [{**row, "price": 2495, "score": 47.3}]}
    report = api.post("/api/import", json=body).json()

    assert ("default", None, 1) == (report["source"], report["campaign_id"], report["count"])


@only_sqlite
def test_text_that_is_not_utf8_in_an_adopted_database_is_shown(
    make_settings: Callable[..., Settings], api: httpx.Client
) -> None:
    """One odd value of the field does not take out the page it is on."""
    api.post("/api/import", content=CSV, headers={"Content-Type": "text/csv"})
    with sqlite3.connect(make_settings().database_url.removeprefix("sqlite:///")) as database:
        database.execute("UPDATE scored_listings SET notes = CAST(x'636166e9' AS TEXT)")
    database.close()
    answer = api.get("/api/listings")

    assert (200, "caf\N{REPLACEMENT CHARACTER}") == (answer.status_code, answer.json()[0]["notes"])
