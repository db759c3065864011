"""Validation says what the import of the same batch says: every member that both reports have is equal."""

import json
from collections.abc import Callable
from dataclasses import fields
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from glyphd.domain.imports import OnError, Status
from glyphd.domain.listing import FIELDS, SCHEMA_VERSIONS
from glyphd.errors import UnsupportedFormat
from glyphd.services.context import Context
from glyphd.services.options import ImportOptions
from glyphd.services.receiving import receive_import, store_file
from glyphd.services.reporting import ImportReport, report_import
from glyphd.services.running import run_next
from glyphd.services.validating import ValidationReport, validate_files
from tests.conftest import GOOD_ROW
from tests.property.test_imports import GOOD_RECORDS, JSON_VALUES, as_json
from tests.written import COMPRESSIONS, FORMATS, written

_NAMES = [field.name for field in FIELDS]
_SETTINGS = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
_SHARED = {each.name for each in fields(ImportReport)} & {each.name for each in fields(ValidationReport)}

_OPTIONS = st.fixed_dictionaries(
    {"on_error": st.sampled_from(OnError), "schema_version": st.sampled_from(list(SCHEMA_VERSIONS))}
)
_FAULTS = st.sampled_from(
    [b"", b"\x00", b"\xff", b'"', b"[", b"{", b"]", b",", b"\n", b"a,a\n", b"1" * 70_000, b"\xef\xbb\xbf"]
)
_RECORDS = st.lists(
    GOOD_RECORDS.map(as_json)
    | st.tuples(GOOD_RECORDS.map(as_json), st.sampled_from(_NAMES), JSON_VALUES).map(lambda it: it[0] | {it[1]: it[2]})
    | JSON_VALUES,
    max_size=12,
)


def _as_csv(records: list[Any]) -> bytes:
    lines = [record.values() if isinstance(record, dict) else [record] for record in records]
    text = "\n".join([",".join([*_NAMES, "Colour", "final_score"]), *(",".join(map(str, line)) for line in lines)])
    return text.encode("utf-8", "surrogatepass")


def _as_ndjson(records: list[Any]) -> bytes:
    return "".join(f"{json.dumps(record)}\n" for record in records).encode()


def _as_parquet(records: list[Any]) -> bytes:
    """Write the cells as text, as Parquet has one type a column; a record that is no object has none."""
    rows = [record if isinstance(record, dict) else {} for record in records]
    texts = [{name: _without_surrogates(str(row.get(name, ""))) for name in _NAMES} for row in rows]
    return written(".parquet", "", _NAMES, texts)


def _without_surrogates(text: str) -> str:
    return text.encode("utf-8", "replace").decode()


def _with_fault(file: tuple[str, bytes], fault: bytes, place: float) -> tuple[str, bytes]:
    name, content = file
    at = round(place * len(content))
    return name, content[:at] + fault + content[at:]


_WRITERS: dict[str, Callable[[list[Any]], bytes]] = {
    ".csv": _as_csv,
    ".tsv": lambda records: _as_csv(records).replace(b",", b"\t"),
    ".json": lambda records: json.dumps(records).encode(),
    ".ndjson": _as_ndjson,
    ".parquet": _as_parquet,
}


def _file(suffix: str, compression: str, records: list[Any]) -> tuple[str, bytes]:
    return f"batch{suffix}{compression}", COMPRESSIONS[compression](_WRITERS[suffix](records))


_WHOLE = st.builds(_file, st.sampled_from(list(_WRITERS)), st.sampled_from(list(COMPRESSIONS)), _RECORDS)
_FILES = _WHOLE | st.builds(_with_fault, _WHOLE, _FAULTS, st.floats(0, 1))


def _imported(context: Context, file: Path, options: ImportOptions) -> ImportReport:
    import_id = receive_import(context, options, [store_file(context, file)], "test")
    assert run_next(context, "worker")
    return report_import(context, import_id)


def _refusal(run: Callable[[], object]) -> str | None:
    """Return why a batch is not even received."""
    try:
        run()
    except UnsupportedFormat as exc:
        return exc.detail
    return None


@given(file=_FILES, options=_OPTIONS)
@example(file=("batch.csv", b""), options={"on_error": OnError.CONTINUE})
@example(file=("batch.csv", b"price,price\n1,2\n"), options={"on_error": OnError.CONTINUE})
@example(file=("batch.json", b"\x89PNG"), options={"on_error": OnError.CONTINUE})
@example(file=("batch.json", b"[]\x89"), options={"on_error": OnError.CONTINUE})
@example(file=("batch.json", b"[\x89]"), options={"on_error": OnError.CONTINUE})
@_SETTINGS
def test_validation_and_import_agree(
    context: Context, tmp_path: Path, file: tuple[str, bytes], options: dict[str, Any]
) -> None:
    """Whatever the batch and the options; it would be imported if and only if it is, and both refuse the same."""
    path = tmp_path / file[0]
    path.write_bytes(file[1])
    said = ImportOptions(**options)

    refusal = _refusal(partial(validate_files, context, said, {"batch": path}))
    if refusal:
        assert refusal == _refusal(partial(_imported, context, path, said))
        return
    expected = validate_files(context, said, {"batch": path})
    report = _imported(context, path, said)

    assert {name: getattr(expected, name) for name in _SHARED} == {name: getattr(report, name) for name in _SHARED}
    assert expected.would_import == (report.status in {Status.PUBLISHED, Status.STAGED})
    assert expected.would_import == (said.schema_version in expected.satisfies)
    assert expected.ignored_columns == [name for name in expected.columns if name in expected.ignored_columns]


@pytest.mark.parametrize("compression", COMPRESSIONS)
@pytest.mark.parametrize("suffix", FORMATS)
@pytest.mark.parametrize("on_error", OnError)
def test_every_format_and_compression_agree(
    context: Context, tmp_path: Path, suffix: str, compression: str, on_error: OnError
) -> None:
    """Each of them for certain, where the property chooses: a batch that is half right, and what aborts it."""
    path = tmp_path / f"batch{suffix}{compression}"
    path.write_bytes(written(suffix, compression, list(GOOD_ROW), [GOOD_ROW, GOOD_ROW | {"price": "x"}, GOOD_ROW]))
    said = ImportOptions(on_error=on_error)

    expected, report = validate_files(context, said, {"batch": path}), _imported(context, path, said)

    assert (on_error is OnError.CONTINUE, suffix[1:]) == (expected.would_import, str(expected.format).lower())
    assert expected.would_import == (report.status is Status.PUBLISHED)
    assert {name: getattr(expected, name) for name in _SHARED} == {name: getattr(report, name) for name in _SHARED}


@pytest.mark.parametrize("schema_version", SCHEMA_VERSIONS)
def test_real_files_agree(context: Context, pipeline_file: Any, schema_version: str) -> None:
    """The output of a real pipeline, whose columns are many and whose records are half right."""
    said = ImportOptions(schema_version=schema_version)
    path = pipeline_file("demo_4_output.csv")

    expected, report = validate_files(context, said, {"batch": path}), _imported(context, path, said)

    assert {name: getattr(expected, name) for name in _SHARED} == {name: getattr(report, name) for name in _SHARED}
