"""Lineage: the record as submitted, how each field was read, other sightings, in every state and format."""

import base64
import gzip
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from glyphd.domain.imports import HOLDING_ROWS, OnError, PublishMode, Status
from glyphd.domain.lineage import Lineage
from glyphd.domain.listing import FIELDS
from glyphd.domain.report import ImportReport
from glyphd.errors import ImportNotFound, ListingNotFound
from glyphd.services.browsing import ListingQuery, browse_listings
from glyphd.services.context import Context
from glyphd.services.explaining import explain_listing, find_record
from glyphd.services.options import ImportOptions
from glyphd.services.receiving import receive_import, store_file
from glyphd.services.rolling_back import restore_import, roll_back_import
from glyphd.services.running import run_next
from tests.pipeline_run import enriched_file, enriched_line, scored_file, scored_line
from tests.written import FORMATS, written

START = datetime(2026, 7, 1, tzinfo=UTC)
HEADER = "GPU_Model,VRAM-GB,tdp_w,MIG Capable,nvlink,Price,score,final_score,quantity,condition,source_url,note"
GOOD = 'H100 , 80.0,350,7,YES,"$28,450.50",0.7,71.4,Available,—,https://shop.test/1?utm_source=x,unknown column'
BAD = "H100,0,350,7,YES,1,0.7,71.4,1,New,,"


def conversion(lineage: Lineage, field: str) -> tuple[str | None, str | None, Any]:
    """Return how one field got its value."""
    (found,) = (each for each in lineage.conversions if each.field == field)
    return found.header, found.raw, found.value


def test_how_a_record_was_read(context: Context, publish: Callable[..., str]) -> None:
    """Each field's column as submitted, the text of its cell, and what is stored."""
    import_id = publish(f"{HEADER}\r\n{BAD}\r\n{GOOD}\r\n", source="shop")
    found = explain_listing(context, import_id, 2)

    assert ("stored", GOOD, "utf8", None) == (found.outcome, found.raw, found.raw_encoding, found.raw_missing)
    assert ("GPU_Model", "H100 ", "H100") == conversion(found, "canonical_model")
    assert ("VRAM-GB", " 80.0", 80) == conversion(found, "vram_gb")
    assert ("Price", "$28,450.50", 28450.5) == conversion(found, "price")
    assert ("final_score", "71.4", 71.4) == conversion(found, "score")
    assert ("quantity", "Available", None) == conversion(found, "quantity")
    assert ("condition", "—", None) == conversion(found, "condition")
    assert (None, None, None) == conversion(found, "seen_at")
    assert [field.name for field in FIELDS] == [each.field for each in found.conversions]
    assert ["quantity_not_numeric"] == found.warnings
    assert ("shop", 1, Status.PUBLISHED, 2, 1, 1) == (
        found.origin.source, found.origin.source_version, found.origin.status,
        found.origin.received, found.origin.count, found.origin.rejected,
    )  # fmt: skip
    assert found.listing == browse_listings(context, ListingQuery(), limit=1).items[0]
    assert ["received", "started", "published"] == [event.action for event in found.events]


def test_a_rejected_record_has_a_lineage(context: Context, publish: Callable[..., str]) -> None:
    """Its issues in place of a row."""
    import_id = publish(f"{HEADER}\n{BAD}\n{GOOD}\n")
    found = explain_listing(context, import_id, 1)

    assert ("rejected", BAD, None, [], []) == (found.outcome, found.raw, found.listing, found.earlier, found.later)
    assert [("vram_gb", "out_of_range")] == [(issue.field, issue.code) for issue in found.issues]
    assert ("VRAM-GB", "0", None) == conversion(found, "vram_gb")


@pytest.mark.parametrize("suffix", FORMATS)
def test_every_format(
    context: Context, publish: Callable[..., str], import_file: Callable[..., ImportReport], tmp_path: Path, suffix: str
) -> None:
    """The same record is read the same, whatever it is written in; gzipped and far into the file."""
    names = ["canonical_model", "vram_gb", "tdp_watts", "mig_support", "nvlink", "price", "score", "seller"]
    row = ["H100", "80", "350", "7", "true", "$1,000", "50", "Müller"]
    records = [dict(zip(names, [*row[:-1], f"{row[-1]} {number}"], strict=True)) for number in range(1, 3001)]
    file = tmp_path / f"batch{suffix}.gz"
    file.write_bytes(gzip.compress(written(suffix, "", names, records)))
    report = import_file(file)
    found = explain_listing(context, report.import_id, 2998)

    assert ("price", "$1,000", 1000.0) == conversion(found, "price")
    assert ("seller", "Müller 2998", "Müller 2998") == conversion(found, "seller")
    assert found.raw is not None
    assert "Müller 2998" in (found.raw if suffix != ".json" else json.loads(found.raw)["seller"])


def test_json_records_name_their_own_members(context: Context, publish: Callable[..., str]) -> None:
    """A field is explained by the name that it has in this very record."""
    record = {
        "model": "H100",
        "vram_gb": 80,
        "tdp_watts": 350,
        "mig_support": 7,
        "nvlink": True,
        "price": 1.5,
        "score": 9,
    }
    other = {("tdp_w" if name == "tdp_watts" else name): value for name, value in record.items()}
    import_id = publish(json.dumps([record, other, record]), "application/json")
    found = [explain_listing(context, import_id, index) for index in (1, 2)]

    assert ["tdp_watts", "tdp_w"] == [conversion(each, "tdp_watts")[0] for each in found]
    assert [("nvlink", "true", True)] * 2 == [conversion(each, "nvlink") for each in found]
    assert [record, other] == [json.loads(each.raw or "") for each in found]


def test_a_pipeline_run(context: Context, tmp_path: Path) -> None:
    """The record of both files, and the column of either that each field is from."""
    for name, content in (("enriched", enriched_file()), ("scored", scored_file())):
        (tmp_path / f"{name}.csv").write_bytes(content)
    stored = [store_file(context, tmp_path / f"{role}.csv", role) for role in ("enriched", "scored")]
    import_id = receive_import(context, ImportOptions(), stored, "test")
    run_next(context, "worker")
    found = explain_listing(context, import_id, 2)

    assert f"{enriched_line(2, 'A100_40GB_PCIE')}\n{scored_line(2, 'A100_40GB_PCIE')}" == found.raw
    assert ["enriched", "scored"] == [artifact.role for artifact in found.artifacts]
    assert ("final_score", "2.25", 2.25) == conversion(found, "score")
    assert ("tdp_w", "350.0", 350) == conversion(found, "tdp_watts")


def test_bytes_that_are_no_text(context: Context, publish: Callable[..., str]) -> None:
    """They travel as base64."""
    line = BAD.encode().replace(b"H100", b"H\xff00")
    import_id = publish(f"{HEADER}\n{GOOD}\n".encode() + line)
    found = explain_listing(context, import_id, 2)

    assert ("base64", line) == (found.raw_encoding, base64.b64decode(found.raw or ""))


def test_earlier_and_later_sightings(
    context: Context, publish: Callable[..., str], make_lines: Callable[..., str]
) -> None:
    """In order of time, of visible imports only; what is rolled back is gone from it, and comes back."""
    crawls = {
        day: publish(make_lines(100 + day), source="shop", observed_at=START + timedelta(day)) for day in (3, 1, 2, 5)
    }
    publish(make_lines(7, seller="another"), source="shop", observed_at=START)
    publish(make_lines(104), source="shop", observed_at=START + timedelta(4), publish=PublishMode.HOLD)

    def sightings() -> tuple[list[float], list[float]]:
        found = explain_listing(context, crawls[3], 1)
        assert not found.sightings_truncated
        return [each.price for each in found.earlier], [each.price for each in found.later]

    assert ([101, 102], [105]) == sightings()
    roll_back_import(context, crawls[2], "ana")
    assert ([101], [105]) == sightings()
    restore_import(context, crawls[2], "ana")
    roll_back_import(context, crawls[3], "ana")
    assert ([101, 102], [105]) == sightings()


@pytest.mark.parametrize("status", Status)
def test_each_state(context: Context, make_import: Callable[[Status], str], status: Status) -> None:
    """Rows are explained while they are kept, rolled back as well; rejections as long as they are told of."""
    import_id = make_import(status)
    if status in HOLDING_ROWS:
        assert ("stored", status, 100) == (
            (found := explain_listing(context, import_id, 1)).outcome,
            found.origin.status,
            (found.listing or {})["price"],
        )
    else:
        with pytest.raises(ListingNotFound, match=f"is {status}"):
            explain_listing(context, import_id, 1)
    if status in {*HOLDING_ROWS, Status.FAILED}:
        assert "rejected" == explain_listing(context, import_id, 3).outcome


def test_a_damaged_artifact(context: Context, publish: Callable[..., str]) -> None:
    """What the database has is told all the same, and why the record itself cannot be."""
    import_id = publish(f"{HEADER}\n{BAD}\n{GOOD}\n")
    (artifact,) = explain_listing(context, import_id, 2).artifacts
    context.artifacts.locate(artifact.sha256).unlink()
    found = explain_listing(context, import_id, 2)

    assert (None, None) == (found.raw, found.raw_encoding)
    assert artifact.sha256 in (found.raw_missing or "")
    assert (None, None, 28450.5) == conversion(found, "price")
    assert BAD == explain_listing(context, import_id, 1).raw


def test_an_import_from_before_artifacts_were_kept(
    context: Context, publish: Callable[..., str], execute: Callable[..., Any]
) -> None:
    """It says so."""
    import_id = publish(f"{HEADER}\n{GOOD}\n")
    execute("DELETE FROM import_artifacts")

    assert "before glyphd" in (explain_listing(context, import_id, 1).raw_missing or "")


def test_what_is_not_there(context: Context, publish: Callable[..., str]) -> None:
    """An unknown import, and a record beyond the last."""
    import_id = publish(f"{HEADER}\n{GOOD}\n")
    with pytest.raises(ListingNotFound):
        explain_listing(context, import_id, 2)
    with pytest.raises(ImportNotFound):
        explain_listing(context, "01997c1e-4a00-7d5e-9c39-0f6a4cf0a1b2", 1)


def test_listings_by_name(context: Context, publish: Callable[..., str], make_lines: Callable[..., str]) -> None:
    """By position, by key (the newest visible sighting, by when it was observed), by row number."""
    late = publish(make_lines(1, 2), observed_at=START + timedelta(1))
    early = publish(make_lines(3, 4), observed_at=START)
    newest, other = browse_listings(context, ListingQuery(import_id=late), limit=9).items

    assert (early, 2) == find_record(context, f"{early}:2")
    assert (late, 1) == find_record(context, newest["listing_key"])
    assert (late, 2) == find_record(context, str(other["id"]))
    roll_back_import(context, late, "ana")
    assert (early, 1) == find_record(context, newest["listing_key"])
    assert (late, 2) == find_record(context, str(other["id"]))


@pytest.mark.parametrize(
    "named", ["1f3a5c7e9b2d4f60", "999999999999999", "0", "x", "", "-1", "1F3A5C7E9B2D4F60", "²", ":1"]
)
def test_names_of_nothing(context: Context, publish: Callable[..., str], named: str) -> None:
    """Nothing is found, and nothing breaks."""
    publish(f"{HEADER}\n{GOOD}\n")
    with pytest.raises(ListingNotFound):
        find_record(context, named)


def test_rows_of_an_import_that_failed_are_not_found_by_number(
    context: Context, receive: Callable[..., str], execute: Callable[..., Any]
) -> None:
    """Until a worker removes them they are in the table, and nobody is told of them (G3)."""
    import_id = receive(f"{HEADER}\n{BAD}\n{GOOD}\n", on_error=OnError.CONTINUE)
    run_next(context, "worker")
    ((number,),) = execute("SELECT id FROM scored_listings")
    execute("UPDATE import_batches SET status = 'failed' WHERE import_id = :id", id=import_id)

    with pytest.raises(ListingNotFound):
        find_record(context, str(number))
