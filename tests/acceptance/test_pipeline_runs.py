"""Real pipeline runs, as a client brings them."""

import csv
import gzip
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.acceptance.conftest import Server

URL = "/api/imports/from-pipeline"
ENRICHED, SCORED = "demo_2_stage_enriched.csv", "demo_4_output.csv"
REJECTED = [*range(21, 40), *range(139, 145)]
SAMPLE = Path(__file__).parents[2] / "sample"


def check_demo(client: httpx.Client, answer: httpx.Response) -> None:
    """Check what became of the demo run: 173 received, 148 stored, 25 rejected, with the right positions."""
    report: dict[str, Any] = answer.json()
    assert (201, 173, 148, 25) == (answer.status_code, report["received"], report["count"], report["rejected"])
    rejections = client.get(f"/api/imports/{report['import_id']}/rejections", params={"limit": 100}).json()["items"]
    assert REJECTED == [rejection["import_index"] for rejection in rejections]


def pair(folder: Path, enriched: str, scored: str) -> dict[str, tuple[str, bytes]]:
    """Return two files as parts of a form."""
    return {
        "enriched": (enriched, (folder / enriched).read_bytes()),
        "scored": (scored, (folder / scored).read_bytes()),
    }


def test_the_demo_run_as_uploads(server: Server, pipeline_file: Callable[[str], Path]) -> None:
    """The rows are those of the same run joined by the pipeline itself."""
    folder = pipeline_file(ENRICHED).parent
    answer = server.client.post(URL, files=pair(folder, ENRICHED, SCORED), data={"source_label": "demo"})
    joined = (folder / "DERIVED_demo_scored_wide_alias.csv").read_bytes()
    alone = server.client.post(URL, files={"file": ("joined.csv", joined)})

    check_demo(server.client, answer)
    check_demo(server.client, alone)
    shown = ("import_index", "canonical_model", "price", "score", "vram_gb", "seller")
    rows = [
        [
            tuple(row[name] for name in shown)
            for row in server.client.get(
                "/api/listings", params={"import_id": each.json()["import_id"], "limit": 1000}
            ).json()
        ]
        for each in (answer, alone)
    ]
    assert rows[0] == rows[1]


def test_the_demo_run_as_paths(start: Callable[..., Server], pipeline_file: Callable[[str], Path]) -> None:
    """The same from the pipeline's own folder."""
    folder = pipeline_file(ENRICHED).parent
    server = start("--migrate", GLYPHD_PIPELINE_DIR=str(folder))

    check_demo(server.client, server.client.post(URL, json={"enriched_path": ENRICHED, "scored_path": SCORED}))


def test_the_rejections_of_the_demo_run_come_back_mended(server: Server, pipeline_file: Callable[[str], Path]) -> None:
    """With the specs filled in all 25 are imported, as one file."""
    folder = pipeline_file(ENRICHED).parent
    report = server.client.post(URL, files=pair(folder, ENRICHED, SCORED)).json()
    sent = server.client.get(f"/api/imports/{report['import_id']}/rejections", params={"format": "csv"}).text
    table = csv.DictReader(io.StringIO(sent))
    mended = io.StringIO()
    writer = csv.DictWriter(mended, table.fieldnames or ())
    writer.writeheader()
    writer.writerows({**row, "vram_gb": "20.0", "tdp_w": "70.0"} for row in table)

    answer = server.client.post(URL, files={"file": ("mended.csv", mended.getvalue().encode())})

    assert (201, 25, 25) == (answer.status_code, answer.json()["received"], answer.json()["count"])


def test_a_big_crawl_with_scores_of_its_own(server: Server, pipeline_file: Callable[[str], Path]) -> None:
    """10 530 records, of which 4 516 are of no known model in both files."""
    enriched = gzip.decompress(pipeline_file("wamatek_stage_enriched.csv.gz").read_bytes())
    models = [row["canonical_model"] for row in csv.DictReader(io.StringIO(enriched.decode()))]
    scored = "\n".join(["model,raw_score,quantization_score,final_score", *(f"{model},0.1,0.2,42" for model in models)])

    answer = server.client.post(URL, files={"enriched": ("e.csv", enriched), "scored": ("s.csv", scored.encode())})

    report = answer.json()
    assert (201, 10_530) == (answer.status_code, report["received"])
    assert 4_516 == report["error_counts"]["unknown_model"]
    assert report["received"] == report["count"] + report["rejected"]


@pytest.mark.parametrize("rows", [(slice(0, None), slice(0, 9)), (slice(0, 9), slice(0, None))])
def test_a_run_whose_files_differ_stores_nothing(server: Server, rows: tuple[slice, slice]) -> None:
    """The project's own sample, with a record taken away from either file."""
    files = {}
    for role, kept in zip(("enriched", "scored"), rows, strict=True):
        header, *lines = (SAMPLE / f"pipeline_{role}.csv").read_text().splitlines(keepends=True)
        files[role] = (f"{role}.csv", "".join([header, *lines[kept]]).encode())

    answer = server.client.post(URL, files=files)

    assert (422, "pipeline_rows_differ", 10) == (
        answer.status_code,
        answer.json()["code"],
        answer.json()["import_index"],
    )
    assert [] == server.client.get("/api/listings", params={"import_id": answer.json()["import_id"]}).json()


def test_the_sample_run(server: Server) -> None:
    """The project's own pair brings what the project's own sample does."""
    answer = server.client.post(URL, files=pair(SAMPLE, "pipeline_enriched.csv", "pipeline_scored.csv"))

    assert (201, 10, 8, 2) == (answer.status_code, *(answer.json()[name] for name in ("received", "count", "rejected")))
