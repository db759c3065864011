"""Lineage: one record as it was submitted, how it was read, what became of it, where else it was seen."""

import base64
import gzip
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from glyphd.errors import ArtifactDamaged, ImportNotFound
from glyphd.services.context import Context
from glyphd.services.discarding import discard_import
from glyphd.services.explaining import explain_record
from glyphd.services.rolling_back import roll_back_import

HEADER = "gpu_model,vram_gb,tdp_watts,mig_support,nvlink,Price_USD,score,quantity,seller\n"
GOOD = 'H100,80.0,350,7,yes,"$12,490.00",71.4,Available,  "" quoted'
START = datetime(2026, 7, 1, tzinfo=UTC)


def batch(*records: str) -> str:
    """Return a CSV of these records."""
    return HEADER + "\n".join(records) + "\n"


def test_a_record_that_was_accepted(context: Context, publish: Callable[..., str]) -> None:
    """It is shown as submitted, with what each cell was read as, and its own warnings only."""
    import_id = publish(batch(GOOD.replace("Available", "3"), GOOD, "H100,80,350,7,no,-1,5,,s"), source="shop")
    found = explain_record(context, import_id, 2)

    assert ("accepted", GOOD, "utf8", None) == (found.outcome, found.raw, found.raw_encoding, found.raw_missing)
    assert {"quantity_not_numeric": 1} == found.warnings
    assert {} == explain_record(context, import_id, 1).warnings
    cells = {cell.field: (cell.header, cell.raw, cell.value) for cell in found.cells}
    assert ("gpu_model", "H100", "H100") == cells["canonical_model"]
    assert ("Price_USD", "$12,490.00", 12490.0) == cells["price"]
    assert ("vram_gb", "80.0", 80) == cells["vram_gb"]
    assert ("quantity", "Available", None) == cells["quantity"]
    assert ("shop", 1, "published") == (found.batch.source, found.batch.source_version, found.batch.status)
    assert ["received", "started", "published"] == [event.action for event in found.events]
    assert found.artifacts[0].bytes
    assert found.listing
    assert found.listing["price"] == cells["price"][2]


def test_a_record_that_was_rejected(context: Context, publish: Callable[..., str]) -> None:
    """Its issues say why; bytes that are no text are told as base64."""
    ragged = b"H100,80,\xff\n"
    import_id = publish(batch(GOOD, "H100,80,350,7,no,-1,5,,s").encode() + ragged)
    found = explain_record(context, import_id, 2)
    assert ("rejected", None, ["out_of_range"]) == (found.outcome, found.listing, [i.code for i in found.issues])
    assert {"-1"} == {cell.raw for cell in found.cells if cell.field == "price"}
    bytes_ = explain_record(context, import_id, 3)
    assert ("base64", ragged.strip()) == (bytes_.raw_encoding, base64.b64decode(bytes_.raw or ""))
    assert bytes_.issues


def test_earlier_and_later_sightings(context: Context, publish: Callable[..., str]) -> None:
    """They are of the same offer in visible imports, in order of time, and none of them is the record itself."""
    late, early, middle, hidden = (
        publish(batch(GOOD.replace("12,490", f"12,49{day}")), source="shop", observed_at=START + timedelta(day))
        for day in (3, 1, 2, 0)
    )
    publish(batch(GOOD.replace("H100", "A100")), observed_at=START)
    roll_back_import(context, hidden, "test")

    found = explain_record(context, middle, 1)
    assert [(early, 1, 12491.0)] == [(s.import_id, s.import_index, s.price) for s in found.earlier]
    assert [(late, 1, 12493.0)] == [(s.import_id, s.import_index, s.price) for s in found.later]
    rolled_back = explain_record(context, hidden, 1)
    assert ("rolled_back", []) == (rolled_back.batch.status, rolled_back.earlier)
    assert [early, middle, late] == [sighting.import_id for sighting in rolled_back.later]


@pytest.mark.parametrize("compress", [False, True])
def test_any_place_of_any_format(context: Context, publish: Callable[..., str], *, compress: bool) -> None:
    """Each record is found, in every chunk, compressed or not."""
    records = [f"H100,80,350,7,no,{price},5,,s" for price in range(1, 30)]
    content = batch(*records).encode()
    import_id = publish(*((_zipped(content), "application/gzip") if compress else (content,)))
    for index in (1, 2, 17, 29):
        assert records[index - 1] == explain_record(context, import_id, index).raw


def _zipped(content: bytes) -> bytes:
    return gzip.compress(content)


def test_what_there_is_no_lineage_of(
    context: Context, publish: Callable[..., str], receive: Callable[..., str]
) -> None:
    """A place that no record has, and an import without rows."""
    import_id, held = publish(batch(GOOD)), publish(batch(GOOD), publish="hold")
    assert "staged" == explain_record(context, held, 1).batch.status
    discard_import(context, held, "test")
    waiting = receive(batch(GOOD))
    for name, index in ((import_id, 2), (held, 1), (waiting, 1)):
        with pytest.raises(ImportNotFound):
            explain_record(context, name, index)


def test_a_damaged_artifact(context: Context, publish: Callable[..., str]) -> None:
    """What is not the submitted bytes is never shown as such."""
    import_id = publish(batch(GOOD))
    path: Any = context.artifacts.locate(explain_record(context, import_id, 1).artifacts[0].sha256)
    path.write_bytes(b"something else")
    with pytest.raises(ArtifactDamaged):
        explain_record(context, import_id, 1)
