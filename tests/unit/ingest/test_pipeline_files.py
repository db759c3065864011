"""Real files of the scoring pipeline: every count that their README states."""

import gzip

import pytest

from glyphd.errors import MissingColumn
from glyphd.ingest.media_types import Format
from glyphd.ingest.readers import open_records
from glyphd.ingest.records import Limits

ZERO_SPECS = [*range(21, 40), *range(139, 145)]


@pytest.mark.parametrize(
    ("name", "valid", "rejected"),
    [
        ("scored_sample.csv", 5, []),
        ("test_scored.csv", 2, []),
        ("sieveviz_scored.csv", 20, []),
        ("sieveviz_comprehensive_scoring.csv", 145, []),
        ("DERIVED_demo_scored_int.csv", 148, ZERO_SPECS),
        ("DERIVED_demo_scored_float.csv", 148, ZERO_SPECS),
        ("DERIVED_demo_scored_wide_alias.csv", 148, ZERO_SPECS),
        ("refine_flagged_fp_fn.csv", 46, list(range(47, 58))),
        ("refine_flagged_fp_fn_r2.csv", 0, list(range(1, 33))),
    ],
)
@pytest.mark.parametrize("block_bytes", [8 << 20, 3_000])
def test_counts_of_real_files(read, pipeline_file, name, valid, rejected, block_bytes):
    """Each file has the valid and rejected records that its README states, whatever the size of a block."""
    outcome = read(pipeline_file(name), block_bytes=block_bytes)
    assert outcome.accepted.height == valid
    assert [rejection.import_index for rejection in outcome.rejections] == rejected
    assert outcome.received == valid + len(rejected)


def test_zero_specs_are_out_of_range(read, pipeline_file):
    """The joined run's rejections are those with 0.0 GB and 0.0 W, both reported."""
    outcome = read(pipeline_file("DERIVED_demo_scored_float.csv"))
    assert outcome.codes == {index: ["out_of_range", "out_of_range"] for index in ZERO_SPECS}
    assert outcome.error_counts == {"out_of_range": 50}
    assert [issue.value for issue in outcome.rejections[0].issues] == ["0.0", "0.0"]


def test_ragged_file(read, pipeline_file):
    """Records with 17 cells under 33 headers are ragged, every one, with their bytes."""
    path = pipeline_file("refine_flagged_fp_fn_r2.csv")
    outcome = read(path)
    assert outcome.error_counts == {"ragged_row": 32}
    assert "Found 17, expected 33." in outcome.rejections[0].issues[0].message
    assert outcome.rejections[0].raw == path.read_bytes().splitlines()[1]


def test_final_score_wins(read, pipeline_file):
    """Where both are there `final_score` is the score, and a warning says so."""
    outcome = read(pipeline_file("refine_flagged_fp_fn.csv"))
    assert outcome.columns.mapping["final_score"] == "score"
    assert "score" in outcome.columns.ignored
    assert outcome.columns.warning_counts == {"superseded_column": 1}


def test_seller_text_is_not_the_model(read, pipeline_file):
    """`model` beside `canonical_model` is the seller's text: ignored, without a warning."""
    outcome = read(pipeline_file("DERIVED_demo_scored_wide_alias.csv"))
    assert outcome.columns.mapping["canonical_model"] == "canonical_model"
    assert outcome.columns.ignored == ["listing_age", "title"]
    assert outcome.warning_counts["quantity_not_numeric"] > 0


def test_keys_of_repeated_cards_are_ambiguous(read, pipeline_file):
    """Every card is there five times without URL or seller, so five rows share a key."""
    outcome = read(pipeline_file("sieveviz_comprehensive_scoring.csv"))
    assert outcome.accepted["listing_key"].n_unique() == 29


@pytest.mark.parametrize(
    "name", ["demo_2_stage_enriched.csv", "demo_3_stage_quantized.csv", "wamatek_stage_enriched.csv.gz"]
)
def test_files_without_a_score(pipeline_file, make_file, name):
    """Stages before scoring lack the score: a fault of the file that names what is missing."""
    content = pipeline_file(name).read_bytes()
    path = make_file(gzip.decompress(content) if name.endswith(".gz") else content)
    with pytest.raises(MissingColumn) as caught:
        open_records(path, Format.CSV, schema_version="v1.1", limits=Limits())
    assert caught.value.members["missing"] == ["score"]
    assert caught.value.members["accepted"] == {"score": ["score", "final_score", "Composite_Score"]}


def test_score_file_alone(pipeline_file):
    """The pipeline's second file has model and score only; `model` counts there, the rest is missing."""
    with pytest.raises(MissingColumn) as caught:
        open_records(pipeline_file("demo_4_output.csv"), Format.CSV, schema_version="v1.1", limits=Limits())
    assert caught.value.members["missing"] == ["vram_gb", "tdp_watts", "mig_support", "nvlink", "price"]
