"""What SQLite let a column hold, and PostgreSQL does not: kept, counted and named, and shown as it was before."""

from pathlib import Path
from typing import Any

import pytest

from glyphd.errors import CopyRefused
from glyphd.services.context import Context
from glyphd.services.copying import CopyReport, copy_installation
from glyphd.store.tables import metadata
from tests.moving import Moving, answers, lines, publish, receive, sql

SHARED = Path(__file__).parents[4] / "shared" / "data" / "legacy" / "pre_import_index.sqlite"

ODD_VALUES = [
    ("quantity", "Available", "Available"),
    ("quantity", 3_000_000_000, 3_000_000_000),
    ("quantity", 2.5, 2.5),
    ("vram_gb", "much", "much"),
    ("price", "Quote", "Quote"),
    ("price", float("inf"), None),
    ("score", b"\x00\xff", {"base64": "AP8="}),
    ("nvlink", "maybe", "maybe"),
    ("nvlink", 7, 7),
    ("seen_at", "", ""),
    ("seen_at", "yesterday", "yesterday"),
    ("seen_at", 2026, 2026),
    ("seen_at", "0001-01-01T00:00:00+05:00", "0001-01-01T00:00:00+05:00"),
    ("created_at", "", ""),
    ("seller", "a\0b", "a\0b"),
    ("notes", b"caf\xe9", {"base64": "Y2Fm6Q=="}),
]


def _set_aside(report: CopyReport) -> dict[str, int]:
    return {f"{each.table}.{each.column}": each.values for each in report.legacy_raw}


def _legacy_raw(context: Context, table: str) -> list[Any]:
    found = metadata.tables[table]
    with context.database.reading() as connection:
        rows = connection.execute(found.select().order_by(found.c.id)).mappings().all()
    return [row["legacy_raw"] for row in rows]


def test_the_database_of_the_field_arrives(moving: Moving, target: Context) -> None:
    """`Available` as a quantity and `''` as a time are set aside, counted and named; readers see what they saw."""
    if not SHARED.is_file():
        pytest.skip("the shared data is not beside the project")
    field = moving.sqlite("field", copied_from=SHARED)
    expected = {"scored_listings.quantity": 5, "scored_listings.seen_at": 4}
    assert expected == _set_aside(copy_installation(field, target, dry_run=True))
    assert expected == _set_aside(copy_installation(field, target))
    assert answers(field) == answers(target)
    raw = [each for each in _legacy_raw(target, "scored_listings") if each]
    assert 5 == sum(each.get("quantity") == "Available" for each in raw)


@pytest.mark.parametrize(("column", "value", "kept"), ODD_VALUES)
def test_an_odd_value_is_set_aside_and_shown_as_before(
    source: Context, target: Context, column: str, value: Any, kept: Any
) -> None:
    """Whatever SQLite let a column hold is kept, under its name, and no reader is told anything else than before."""
    publish(source, lines(100, 200))
    sql(source, f"UPDATE scored_listings SET {column} = ? WHERE import_index = 1", value)
    report = copy_installation(source, target)
    assert ({} if kept is None else {f"scored_listings.{column}": 1}) == _set_aside(report)
    assert [None if kept is None else {column: kept}, None] == _legacy_raw(target, "scored_listings")
    assert answers(source) == answers(target)


def test_text_that_is_not_utf8_is_kept_as_bytes(source: Context, target: Context) -> None:
    """Latin-1 from an old tool: readers see the replacement character, the bytes are kept."""
    publish(source, lines(100))
    sql(source, "UPDATE scored_listings SET seller = CAST(x'4dfc6c6c6572' AS TEXT)")
    sql(source, "UPDATE import_batches SET source = CAST(x'4dfc' AS TEXT), imported_at = ''")
    assert {"import_batches.imported_at": 1, "import_batches.source": 1, "scored_listings.seller": 1} == _set_aside(
        copy_installation(source, target)
    )
    assert [{"seller": {"base64": "TfxsbGVy"}}] == _legacy_raw(target, "scored_listings")
    assert answers(source) == answers(target)


def test_what_is_not_glyphds_is_kept_or_named(source: Context, target: Context) -> None:
    """A column of another's goes to legacy_raw; tables and views stay, by name."""
    publish(source, lines(100))
    sql(source, 'ALTER TABLE scored_listings ADD COLUMN "rack units" TEXT')
    sql(source, 'UPDATE scored_listings SET "rack units" = 4')
    sql(source, "CREATE TABLE listing_deltas (id)")
    sql(source, "CREATE VIEW cheap AS SELECT 1")
    report = copy_installation(source, target)
    named = [name for name in report.left_behind if not name.startswith("_glyphd_parked_")]
    assert ({"scored_listings.rack units": 1}, ["cheap", "listing_deltas"]) == (_set_aside(report), named)
    assert [{"rack units": "4"}] == _legacy_raw(target, "scored_listings")


def test_an_id_that_is_not_text_is_refused(source: Context, small: Context) -> None:
    """It could not be asked for afterwards."""
    import_id = receive(source, lines(1))
    sql(source, "PRAGMA foreign_keys = OFF")
    sql(source, "UPDATE import_batches SET import_id = CAST(x'ff' AS TEXT) WHERE import_id = ?", import_id)
    with pytest.raises(CopyRefused, match="not text"):
        copy_installation(source, small)


def test_what_has_no_place_for_odd_values_is_refused(source: Context, small: Context) -> None:
    """Tables of glyphd's own hold none; one that was tampered with is named, instead of losing what it holds."""
    publish(source, lines(1))
    sql(source, "UPDATE import_events SET at = 'then'")
    with pytest.raises(CopyRefused, match=r"import_events\.at holds 'then'"):
        copy_installation(source, small)


def test_another_ones_column_in_a_table_of_glyphds_own_is_refused(source: Context, small: Context) -> None:
    """There is no `legacy_raw` for it."""
    sql(source, "ALTER TABLE import_events ADD COLUMN mood TEXT")
    with pytest.raises(CopyRefused, match="columns of another's: mood"):
        copy_installation(source, small)
