"""Any batch of records, valid or not: each record is accounted for exactly once, and what is valid comes back equal."""

import csv
import dataclasses
import io
import json
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from glyphd.domain.clock import utc_now
from glyphd.domain.imports import OnError, Status
from glyphd.domain.listing import FIELDS
from glyphd.services.browsing import ListingQuery, browse_listings
from glyphd.services.context import Context
from glyphd.services.inspecting import inspect_rejections
from glyphd.services.options import ImportOptions
from glyphd.services.receiving import receive_import, store_artifact
from glyphd.services.reporting import report_import
from glyphd.services.running import claim_next, run_next

_NAMES = [field.name for field in FIELDS]
_SETTINGS = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)

_WORDS = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Zs", "Zl", "Zp"]), max_size=12)
_PLAIN = _WORDS.filter(lambda word: word.strip().lower() not in {"", "nan", "null", "n/a", "—", "unknown"})
_MOMENTS = st.datetimes(datetime(2000, 1, 1), datetime(2026, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
_CARDINALS = st.integers(0, 2_000_000_000)

_VALID: dict[str, st.SearchStrategy[Any]] = {
    "canonical_model": _PLAIN,
    "vram_gb": st.integers(1, 1024),
    "tdp_watts": st.integers(1, 5000),
    "mig_support": st.integers(0, 7),
    "nvlink": st.booleans(),
    "price": st.floats(0.01, 10_000_000, allow_subnormal=False),
    "score": st.floats(0, 100, allow_subnormal=False),
    "cuda_cores": _CARDINALS | st.none(),
    "slot_width": _CARDINALS | st.none(),
    "pcie_generation": _CARDINALS | st.none(),
    "quantity": _CARDINALS | st.none(),
    "min_order_qty": _CARDINALS | st.none(),
    "source_url": st.integers(0, 9).map(lambda number: f"https://halbry.example/gpu/{number}?page=2") | st.none(),
    "seen_at": _MOMENTS | st.none(),
}
_TEXTS = {field.name: _PLAIN | st.none() for field in FIELDS if field.name not in _VALID}
GOOD_RECORDS = st.fixed_dictionaries(_VALID | _TEXTS)

_ODD = st.sampled_from(
    ["", " ", "NaN", "null", "—", "0", "-1", "1e9", "80.0", "80.5", "inf", "true", "$12,490.00", "x"]
)
_CELLS = _ODD | st.text(max_size=8) | st.integers().map(str) | st.floats().map(str)
_LINES = st.lists(st.lists(_CELLS, min_size=0, max_size=9), max_size=25)
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | _ODD,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=3,
)
_MEMBERS = st.dictionaries(st.sampled_from(_NAMES), JSON_VALUES, max_size=8)


def _mixed(good: "st.SearchStrategy[Any]", bad: "st.SearchStrategy[Any]") -> "st.SearchStrategy[list[Any]]":
    return st.lists(st.one_of(good, bad), max_size=25)


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return value.isoformat() if isinstance(value, datetime) else str(value)


def _csv(lines: list[list[str]], header: list[str]) -> bytes:
    buffer = io.StringIO()
    csv.writer(buffer).writerows([header, *lines])
    return buffer.getvalue().encode("utf-8", "surrogatepass")


def as_json(value: Any) -> Any:
    """Return a value, or a record's values, as JSON can carry them."""
    if isinstance(value, dict):
        return {name: as_json(each) for name, each in value.items()}
    return value.isoformat() if isinstance(value, datetime) else value


def _import(context: Context, content: bytes, media_type: str, **options: Any) -> str:
    with context.artifacts.writing() as writer:
        writer.write(content)
        artifact = store_artifact(writer, media_type, None)
    import_id = receive_import(context, ImportOptions(**options), [artifact], "test")
    assert run_next(context, "worker")
    return import_id


def _check_accounts(context: Context, import_id: str) -> None:
    """G1, G2: positions 1…received are each a row or a rejection, once; the report says the same."""
    report = report_import(context, import_id)
    rejected = [found.import_index for found in inspect_rejections(context, import_id, limit=1000)[0]]
    stored = [
        row["import_index"] for row in browse_listings(context, ListingQuery(import_id=import_id), limit=1000).items
    ]
    assert report.rejected == len(rejected)
    if report.status is Status.PUBLISHED:
        assert list(range(1, report.received + 1)) == sorted(rejected + stored)
        assert (report.count, report.received) == (len(stored), report.count + report.rejected)
        assert report.count == sum(summary.count for summary in report.top_models) or len(report.top_models) == 10
    else:
        assert ([], 0) == (stored, report.count)
        assert report.status is Status.FAILED
        assert (report.failure or {})["code"] not in {"unexpected_failure", "counts_disagree"}
    assert all(found.issues for found in inspect_rejections(context, import_id, limit=1000)[0])


@given(lines=_LINES, header=st.permutations(_NAMES).map(lambda names: names[:9]))
@_SETTINGS
def test_any_csv_is_accounted_for(context: Context, lines: list[list[str]], header: list[str]) -> None:
    """Ragged, blank, quoted, out of range, whatever: nothing is lost, counted twice or a fault of the service."""
    _check_accounts(context, _import(context, _csv(lines, header), "text/csv"))


@given(records=_mixed(GOOD_RECORDS, st.lists(_CELLS, max_size=len(_NAMES) + 1)))
@_SETTINGS
def test_good_and_bad_lines_are_accounted_for(context: Context, records: list[Any]) -> None:
    """The contract's columns, with lines that are valid among lines that are anything."""
    lines = [record if isinstance(record, list) else [_cell(record[name]) for name in _NAMES] for record in records]
    _check_accounts(context, _import(context, _csv(lines, _NAMES), "text/csv"))


@given(content=st.binary(max_size=200) | st.text(max_size=100).map(str.encode))
@example(content=b"")
@example(content=b"\xff\xfe,")
@_SETTINGS
def test_any_bytes_leave_an_import_that_says_why(context: Context, content: bytes) -> None:
    """Bytes that are no table at all fail with a reason."""
    _check_accounts(context, _import(context, b"price," + content, "text/csv"))


@given(records=_mixed(GOOD_RECORDS.map(as_json), _MEMBERS | JSON_VALUES))
@_SETTINGS
def test_any_json_array_is_accounted_for(context: Context, records: list[Any]) -> None:
    """Objects with any members, and what is no object."""
    _check_accounts(context, _import(context, json.dumps(records).encode(), "application/json"))


@given(records=st.lists(GOOD_RECORDS, min_size=1, max_size=20), in_json=st.booleans())
@_SETTINGS
def test_what_is_valid_comes_back_equal(context: Context, records: list[dict[str, Any]], in_json: bool) -> None:
    """Import → query returns exactly the valid rows, at their positions, with equal values, sightings included."""
    if in_json:
        content = json.dumps([{name: as_json(row[name]) for name in _NAMES} for row in records]).encode()
        import_id = _import(context, content, "application/json")
    else:
        import_id = _import(
            context, _csv([[_cell(row[name]) for name in _NAMES] for row in records], _NAMES), "text/csv"
        )
    items = browse_listings(context, ListingQuery(import_id=import_id), limit=100).items
    assert list(range(1, len(records) + 1)) == [row["import_index"] for row in items]
    for expected, found in zip(records, items, strict=True):
        assert {name: expected[name] for name in _NAMES} == {name: found[name] for name in _NAMES}
    with context.database.reading() as connection:
        query = text(
            "SELECT import_index, canonical_model, price, score, listing_key FROM sightings"
            " WHERE import_id = :import_id ORDER BY import_index"
        )
        sightings = [tuple(row) for row in connection.execute(query, {"import_id": import_id})]
    shown = [(row["import_index"], row["canonical_model"], row["price"], row["score"]) for row in items]
    assert shown == [row[:4] for row in sightings]
    assert [row["listing_key"] for row in items] == [f"{row[4] & (1 << 64) - 1:016x}" for row in sightings]


@given(records=_mixed(GOOD_RECORDS, st.lists(_CELLS, max_size=9)), kept=st.integers(0, 25), aborts=st.booleans())
@_SETTINGS
def test_a_takeover_ends_as_the_run_would_have(context: Context, records: list[Any], kept: int, aborts: bool) -> None:
    """Whatever a dead worker left of rows and rejections, the next one stores the same as an undisturbed one."""
    lines = [record if isinstance(record, list) else [_cell(record[name]) for name in _NAMES] for record in records]
    content, on_error = _csv(lines, _NAMES), OnError.ABORT if aborts else OnError.CONTINUE
    undisturbed = _import(context, content, "text/csv", on_error=on_error)
    with context.artifacts.writing() as writer:
        writer.write(content)
        artifact = store_artifact(writer, "text/csv", None)
    taken_over = receive_import(context, ImportOptions(on_error=on_error), [artifact], "test")
    assert claim_next(context, "dead") is not None
    _leave(context, undisturbed, taken_over, kept)
    run_next(dataclasses.replace(context, clock=lambda: utc_now() + timedelta(hours=1)), "successor")
    assert _outcome(context, undisturbed) == _outcome(context, taken_over)
    _check_accounts(context, taken_over)


def _leave(context: Context, original: str, copy: str, kept: int) -> None:
    """Leave the first rows and rejections of an import under another, as a worker that died then would have."""
    columns = ", ".join(["canonical_model", "price", "vram_gb", "tdp_watts", "score", "import_index"])
    with context.database.writing() as work:
        for table, names in (("scored_listings", columns), ("import_rejections", "import_index, raw, issues")):
            work.connection.execute(
                text(
                    f"INSERT INTO {table} ({names}, import_id) SELECT {names}, :copy FROM {table}"
                    " WHERE import_id = :original AND import_index <= :kept"
                ),
                {"original": original, "copy": copy, "kept": kept},
            )
        work.commit()


def _outcome(context: Context, import_id: str) -> Any:
    report = report_import(context, import_id)
    items = browse_listings(context, ListingQuery(import_id=import_id), limit=100).items
    changing = {"id", "import_id", "created_at"}
    return (
        (report.status, report.failure, report.received, report.count, report.rejected, report.error_counts),
        (report.errors, report.price_range, report.score_range, report.top_models),
        [{name: value for name, value in row.items() if name not in changing} for row in items],
        inspect_rejections(context, import_id, limit=100),
    )
