"""Rejections of a pipeline run: what they show of the two files, and how they come back mended."""

import csv
import io

import httpx

from tests.pipeline_run import (
    ENRICHED_HEADER,
    MODELS,
    enriched_file,
    enriched_line,
    post_pair,
    scored_file,
    scored_line,
)


def test_rejections_of_a_run_can_be_mended_and_imported_as_one_file(api: httpx.Client) -> None:
    """Original cells under original headers; a tab in the scored file and a ragged record in either do not matter."""
    enriched = enriched_file(MODELS * 2, vram_gb="0.0").decode().splitlines()
    enriched[2:3] = [enriched_line(2, MODELS[1])]
    enriched[4] += ",surplus"
    scored = [line.replace(",", "\t") for line in scored_file(MODELS * 2).decode().splitlines()]
    scored[6] = scored[6].rsplit("\t", 1)[0]
    report = post_pair(api, "\n".join(enriched).encode(), "\r\n".join(scored).encode(), source="demo").json()

    sent = api.get(f"/api/imports/{report['import_id']}/rejections", params={"format": "csv"}).content
    listed = api.get(f"/api/imports/{report['import_id']}/rejections").json()["items"]
    table = list(csv.DictReader(io.StringIO(sent.decode())))
    mended = api.post("/api/import", files={"file": ("mended.csv", sent.replace(b",0.0,350", b",80,350"))}).json()

    assert [1, 3, 4, 5, 6, 7, 8] == [rejected["import_index"] for rejected in listed]
    assert f"{enriched[1]}\n{scored[1]}" == listed[0]["raw"]
    assert {"4": "record: ragged_row", "6": "record: ragged_row"}.items() <= {
        line["import_index"]: line["_issues"] for line in table
    }.items()
    assert [*ENRICHED_HEADER.split(","), "raw_score", "quantization_score", "final_score"] == list(table[0])[2:]
    assert ("NVIDIA H100_PCIE_80GB, new", "1.25") == (table[0]["model"], table[0]["final_score"])
    assert (7, 5, {"ragged_row": 2}) == (mended["received"], mended["count"], mended["error_counts"])


def test_a_ragged_record_names_its_file(api: httpx.Client) -> None:
    """One rejection, whichever file it is malformed in, at its position."""
    scored = scored_file().replace(scored_line(2, MODELS[1]).encode(), b"\xff," + scored_line(2, MODELS[1]).encode())
    enriched = enriched_file().replace(b",New,1003.5", b",New")
    report = post_pair(api, enriched, scored).json()

    assert (4, 2, 2) == (report["received"], report["count"], report["rejected"])
    assert [(2, "scored"), (3, "enriched")] == [
        (error["import_index"], error["message"].split()[2]) for error in report["errors"]
    ]
