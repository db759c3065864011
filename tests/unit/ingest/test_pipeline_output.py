"""Two files of a pipeline run, joined by position: what is read from which, and how the join is checked."""

import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from glyphd.errors import FileFault, MissingColumn, PipelineModelsDisagree, PipelineRowsDiffer
from glyphd.ingest.pipeline_output import JoinedReader
from glyphd.ingest.records import Chunk, Limits
from glyphd.ingest.submitted import SubmittedFile, open_submitted
from tests.pipeline_run import (
    ENRICHED_HEADER,
    MODELS,
    SCORED_HEADER,
    enriched_file,
    enriched_line,
    scored_file,
    scored_line,
)

Join = Callable[..., JoinedReader]


@pytest.fixture
def join(make_file: Callable[[str | bytes], Path]) -> Join:
    """Open two contents as a pair, in the way a run does."""

    def open_pair(enriched: bytes, scored: bytes, *, schema_version: str = "v1.1", **limits: Any) -> JoinedReader:
        files = [
            SubmittedFile(make_file(content), "text/csv", None, role)
            for role, content in (("enriched", enriched), ("scored", scored))
        ]
        reader = open_submitted(files, schema_version=schema_version, limits=Limits(**limits), spool=Path())
        assert isinstance(reader, JoinedReader)
        return reader

    return open_pair


def scores(chunks: list[Chunk]) -> list[tuple[int, str, str]]:
    """Return the cells that came from both files."""
    return [row for chunk in chunks for row in chunk.cells.select("import_index", "canonical_model", "score").rows()]


@pytest.mark.parametrize("block_bytes", [512, 1000, 4 << 20])
@pytest.mark.parametrize("chunk_records", [1, 7, 65_536])
def test_records_stay_together_however_the_files_are_cut(join: Join, block_bytes: int, chunk_records: int) -> None:
    """The blocks of the two files end at different records; positions are consecutive and nothing is lost."""
    models = [f"GPU_{number % 13}" for number in range(200)]

    chunks = list(
        join(enriched_file(models), scored_file(models), block_bytes=block_bytes, chunk_records=chunk_records)
    )

    expected = [(n, model, f"{n % 100}.25") for n, model in enumerate(models, start=1)]
    assert expected == scores(chunks)
    assert 200 == sum(chunk.received for chunk in chunks)
    assert [1, *(c.first_index + c.received for c in chunks)][:-1] == [chunk.first_index for chunk in chunks]


@given(
    enriched_bad=st.sets(st.integers(1, 40)),
    scored_bad=st.sets(st.integers(1, 40)),
    chunk_records=st.integers(1, 9),
)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_record_has_one_place(
    join: Join, enriched_bad: set[int], scored_bad: set[int], chunk_records: int
) -> None:
    """Ragged in either file or in both: one rejection at its position, both records in it, an issue for each file."""
    models = [MODELS[number % 4] for number in range(40)]
    enriched = [enriched_line(n, model) + ",x" * (n in enriched_bad) for n, model in enumerate(models, start=1)]
    scored = [scored_line(n, model) + ",x" * (n in scored_bad) for n, model in enumerate(models, start=1)]
    contents = ("\n".join([header, *lines]) for header, lines in ((ENRICHED_HEADER, enriched), (SCORED_HEADER, scored)))

    chunks = list(join(*(content.encode() for content in contents), block_bytes=700, chunk_records=chunk_records))

    malformed = {rejection.import_index: rejection for chunk in chunks for rejection in chunk.malformed}
    assert sorted(enriched_bad | scored_bad) == list(malformed)
    assert sorted(set(range(1, 41)) - malformed.keys()) == [index for index, _, _ in scores(chunks)]
    for index, rejection in malformed.items():
        assert f"{enriched[index - 1]}\n{scored[index - 1]}".encode() == rejection.raw
        assert (index in enriched_bad) + (index in scored_bad) == len(rejection.issues)


@pytest.mark.parametrize("wrong", [1, 29_999, 30_000])
def test_a_disagreement_is_found_however_late(join: Join, wrong: int) -> None:
    """The first record whose names differ is named, with both names."""
    models = ["L40S"] * 30_000
    other = [*models[: wrong - 1], *["L4"] * (30_001 - wrong)]

    with pytest.raises(PipelineModelsDisagree) as fault:
        list(join(enriched_file(models), scored_file(other), block_bytes=100_000))

    assert (wrong, {"enriched": "L40S", "scored": "L4"}) == (
        fault.value.members["import_index"],
        fault.value.members["found"],
    )


def test_names_are_compared_trimmed(join: Join) -> None:
    """Blanks around a name are no other name."""
    chunks = list(join(enriched_file(), scored_file([f"\u3000{model} " for model in MODELS])))

    assert list(MODELS) == [model for _, model, _ in scores(chunks)]


def test_a_name_that_only_one_file_has_is_a_disagreement(join: Join) -> None:
    """Nothing proves that these two records are one."""
    with pytest.raises(PipelineModelsDisagree):
        list(join(enriched_file(), scored_file(["", *MODELS[1:]])))


@pytest.mark.parametrize(("more", "less"), [("enriched", "scored"), ("scored", "enriched")])
def test_rows_that_differ_are_counted(join: Join, more: str, less: str) -> None:
    """Both counts and the first record that has no other half, also when it is in a later block."""
    short, long = ["L4"] * 5_000, ["L4"] * 9_000
    models = {more: long, less: short}

    with pytest.raises(PipelineRowsDiffer) as fault:
        list(join(enriched_file(models["enriched"]), scored_file(models["scored"]), block_bytes=10_000))

    assert (5_001, {more: 9_000, less: 5_000}) == (
        fault.value.members["import_index"],
        fault.value.members["records"],
    )


def test_blank_lines_are_no_records(join: Join) -> None:
    """In neither file, and not at the same places in both."""
    enriched = enriched_file().replace(b"\n", b"\n\n", 2)

    assert 4 == sum(chunk.received for chunk in join(enriched, scored_file() + b"\r\n \n"))


def test_the_canonical_name_may_be_in_the_scored_file_only(join: Join) -> None:
    """The enriched file's `model` is the seller's text, which is never compared and never stored as the model."""
    reader = join(enriched_file().replace(b"canonical_model", b"title"), scored_file())

    assert list(MODELS) == [model for _, model, _ in scores(list(reader))]
    assert "canonical_model" == reader.columns.mapping["model"]
    assert "canonical_model" in reader.columns.header


def test_a_score_of_the_enriched_file_is_not_the_score(join: Join) -> None:
    """The scored file's wins, and a warning says that there was another one."""
    enriched = enriched_file().replace(b"condition", b"final_score").replace(b",New,", b",99,")

    reader = join(enriched, scored_file())

    assert ["1.25", "2.25", "3.25", "4.25"] == [score for _, _, score in scores(list(reader))]
    assert {"superseded_column": 1} == dict(reader.columns.warning_counts)
    assert 1 == reader.columns.header.count("final_score")


@pytest.mark.parametrize("schema_version", ["v1.0", "v1.1"])
def test_missing_columns_are_judged_over_both_files(join: Join, schema_version: str) -> None:
    """Each missing field is said with the file that should have it."""
    with pytest.raises(MissingColumn) as fault:
        join(
            enriched_file().replace(b"price", b"amount"),
            scored_file().replace(b"model", b"gpu"),
            schema_version=schema_version,
        )

    assert {"price": "enriched", "canonical_model": "scored"} == fault.value.members["files"]
    assert "price (expected in the enriched file)" in fault.value.detail


@pytest.mark.parametrize("role", ["enriched", "scored"])
def test_a_fault_of_one_file_names_it(join: Join, role: str) -> None:
    """Lines and columns mean nothing without it."""
    contents = {"enriched": enriched_file(), "scored": scored_file()}
    contents[role] = contents[role].rstrip(b"\n") + b',"never closed\n'

    with pytest.raises(FileFault) as fault:
        list(join(**contents))

    assert ("unterminated_quote", role, 5) == (
        fault.value.code,
        fault.value.members["file"],
        fault.value.members["line"],
    )


def test_memory_does_not_grow_with_the_files(join: Join) -> None:
    """Half a million records pass in what a few blocks take, with one file in rows ten times as long as the other."""
    models = ["L40S"] * 500_000
    reader = join(enriched_file(models), scored_file(models), block_bytes=1 << 20)
    del models

    tracemalloc.start()
    received = sum(chunk.received for chunk in reader)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert 500_000 == received
    assert peak < 24 << 20, f"{peak >> 20} MiB"
