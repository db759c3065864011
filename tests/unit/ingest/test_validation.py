"""Verdicts: which issues a record has, which cells only warn, what an accepted row looks like."""

from dataclasses import replace
from datetime import UTC, datetime

import polars as pl
import pytest

from glyphd.domain.issues import Issue, IssueCode
from glyphd.domain.listing import FIELDS
from glyphd.errors import CountsDisagree
from glyphd.ingest.media_types import Format
from glyphd.ingest.readers import open_records
from glyphd.ingest.records import Limits
from glyphd.ingest.validate import Validator

HEADER = "canonical_model,vram_gb,tdp_watts,mig_support,nvlink,price,score"
GOOD = "H100_PCIE_80GB,80,350,7,True,28450.00,71.4"
GOOD_ROW = dict(zip(HEADER.split(","), GOOD.split(","), strict=True))


def csv_of(*rows):
    """Return CSV text of rows given as members over a good row, tab-separated so that cells may hold commas."""
    names = list(dict.fromkeys([*GOOD_ROW, *(name for row in rows for name in row)]))
    return "\n".join(
        "\t".join(cells) for cells in [names, *([(GOOD_ROW | row).get(name, "") for name in names] for row in rows)]
    )


@pytest.mark.parametrize(
    ("field", "cell", "code", "message"),
    [
        ("canonical_model", " ", "required", "canonical_model is required"),
        ("canonical_model", "Unknown", "unknown_model", "canonical_model must name a model, not UNKNOWN"),
        ("canonical_model", "x" * 129, "too_long", "canonical_model must have at most 128 characters"),
        ("vram_gb", "0.0", "out_of_range", "vram_gb must be between 1 and 1024"),
        ("vram_gb", "80.5", "not_an_integer", "vram_gb must be a whole number"),
        ("price", "12,49", "not_a_number", "price must be a number"),
        ("price", "1e400", "not_finite", "price must be finite"),
        ("price", "0", "out_of_range", "price must be above 0 and at most 10 000 000"),
        ("score", "1,0", "not_a_number", "score must be a number"),
        ("score", "NaN", "required", "score is required"),
        ("nvlink", "maybe", "not_a_boolean", "nvlink must be one of true, false, 1, 0, yes, no"),
        ("source_url", "ftp://a", "not_a_url", "source_url must be a http or https URL"),
        ("source_url", "http://a/" + "x" * 2040, "too_long", "source_url must have at most 2048 characters"),
        ("seen_at", "yesterday", "not_a_timestamp", "seen_at must be an ISO 8601 date or time"),
        ("seen_at", "2026-11-23T05:14:01Z", "out_of_range", "seen_at must be at most 24 hours after receipt"),
        ("cuda_cores", "many", "not_a_number", "cuda_cores must be a number"),
    ],
)
def test_issues_of_a_cell(read, field, cell, code, message):
    """A cell that is not accepted rejects its record with one issue: field, code, message and the value."""
    outcome = read(csv_of({}, {field: cell}))
    value = cell if len(cell) <= 256 else cell[:255] + "…"
    assert [rejection.import_index for rejection in outcome.rejections] == [2]
    assert outcome.rejections[0].issues == [Issue(field, IssueCode(code), message, value)]
    assert outcome.error_counts == {code: 1}


def test_all_issues_in_the_order_of_the_fields(read):
    """A record has every issue it deserves, one a field, in the order of the contract; the value is as submitted."""
    outcome = read(csv_of({"seen_at": "x", "score": " 101 ", "vram_gb": "-0.5", "canonical_model": ""}))
    assert [(issue.field, str(issue.code), issue.value) for issue in outcome.rejections[0].issues] == [
        ("canonical_model", "required", ""),
        ("vram_gb", "not_an_integer", "-0.5"),
        ("score", "out_of_range", " 101 "),
        ("seen_at", "not_a_timestamp", "x"),
    ]


def test_cells_that_only_warn(read):
    """Quantities that are no number, and links that claim no scheme, are NULL and counted."""
    rows = [
        {"quantity": "Available"},
        {"quantity": "1.5"},
        {"quantity": "-1"},
        {"min_order_qty": "1+"},
        {"source_url": "newegg.com/p/1"},
        {"quantity": ""},
    ]
    outcome = read(csv_of(*rows))
    assert outcome.rejections == []
    assert outcome.accepted["quantity"].null_count() == len(rows)
    assert outcome.accepted["source_url"].null_count() == len(rows)
    assert outcome.warning_counts == {
        "quantity_not_numeric": 1,
        "quantity_not_an_integer": 1,
        "quantity_out_of_range": 1,
        "min_order_qty_not_numeric": 1,
        "source_url_not_a_url": 1,
    }


def test_a_row_of_empty_cells_is_a_record_and_a_blank_line_is_not(read):
    """`,,,` is numbered and rejected with every required field; blank lines do not count."""
    outcome = read(f"{HEADER}\n\n{GOOD}\n  \n,,,,,,\n\n{GOOD}")
    assert outcome.received == 3
    assert outcome.codes == {2: ["required"] * 7}
    assert outcome.accepted["import_index"].to_list() == [1, 3]


def test_malformed_and_invalid_records_share_one_numbering(read):
    """Ragged, undecodable and invalid records keep their places among the accepted, with their bytes."""
    lines = [GOOD, "a,b", GOOD, GOOD.replace("H100", "H\xff"), GOOD.replace("80,", "x,"), GOOD + ",", GOOD]
    outcome = read((HEADER + "\r\n" + "\r\n".join(lines)).encode("latin-1"))
    assert outcome.codes == {2: ["ragged_row"], 4: ["invalid_encoding"], 5: ["not_a_number"], 6: ["ragged_row"]}
    assert [rejection.raw.decode("latin-1") for rejection in outcome.rejections] == [
        lines[1],
        lines[3],
        lines[4],
        lines[5],
    ]
    assert outcome.accepted["import_index"].to_list() == [1, 3, 7]


def test_accepted_rows_have_every_field(read):
    """Accepted rows have all columns of the contract with their types, absent ones all null, and a key."""
    row = {"seen_at": "2026-11-20 08:12+02:00", "source_url": "https://a.example/x", "quantity": "4.0", "notes": " é "}
    outcome = read(csv_of(row))
    assert outcome.accepted.columns == ["import_index", *(field.name for field in FIELDS), "listing_key"]
    assert outcome.accepted.select("vram_gb", "nvlink", "price", "quantity", "notes", "seen_at", "region").row(0) == (
        80, True, 28450.0, 4, "é", datetime(2026, 11, 20, 6, 12, tzinfo=UTC), None,
    )  # fmt: skip
    assert outcome.accepted.schema["seen_at"] == pl.Datetime("us", "UTC")
    assert outcome.accepted.schema["listing_key"] == pl.Int64


def test_an_older_version_has_fewer_fields(read):
    """Under v1.0 newer columns are ignored: not read, not judged, named."""
    outcome = read(csv_of({"region": "US", "seen_at": "x"}), schema_version="v1.0")
    assert outcome.rejections == []
    assert outcome.accepted["region"].to_list() == [None]
    assert outcome.columns.ignored == ["region", "seen_at"]


def test_superseded_columns(read):
    """Of two columns for one field the field's own name wins, `final_score` over `score`; the other is ignored."""
    row = {"final_score": "9", "price_usd": "1", "slots": "3", "slot_width": "2", "model": "text"}
    outcome = read(csv_of(row))
    assert outcome.accepted.select("score", "price", "slot_width").row(0) == (9.0, 28450.0, 2)
    assert outcome.columns.ignored == ["score", "price_usd", "slots", "model"]
    assert outcome.columns.warning_counts == {"superseded_column": 3}


@pytest.mark.parametrize("delimiter", list(",;\t|"))
@pytest.mark.parametrize("bom", ["", "\ufeff"])
def test_delimiters(read, delimiter, bom):
    """The delimiter is the one under which the header holds most fields; a byte order mark is no part of it."""
    outcome = read(bom + f"{HEADER},a;b|c\n{GOOD},\n".replace(",", delimiter).replace("a;b|c", "x"))
    assert outcome.accepted.height == 1


def test_a_lost_record_is_noticed(make_file):
    """A chunk whose records do not all get a verdict is never accepted."""
    path = make_file(f"{HEADER}\n{GOOD}\n")
    (chunk,) = open_records(path, Format.CSV, schema_version="v1.1", limits=Limits())
    with pytest.raises(CountsDisagree):
        Validator("v1.1", datetime.now(UTC)).validate(replace(chunk, received=2))


def test_a_parser_that_disagrees_is_noticed(make_file, monkeypatch):
    """When pyarrow sees other records than the scan, nothing is read."""
    monkeypatch.setattr("glyphd.ingest.readers.csv._Records.text_of", lambda records, good: b"1,2,3,4,5,6,7\n")
    with pytest.raises(CountsDisagree):
        list(open_records(make_file(f"{HEADER}\n{GOOD}\n{GOOD}\n"), Format.CSV, schema_version="v1.1"))


def test_a_byte_order_mark_inside_the_file_is_text(read):
    """Only the mark at the start of the file is skipped; pyarrow would skip it at the start of every chunk."""
    outcome = read(f"{HEADER}\n\ufeff{GOOD}\n\ufeff{GOOD}\n", chunk_records=1)
    assert outcome.accepted["canonical_model"].to_list() == ["\ufeffH100_PCIE_80GB"] * 2
