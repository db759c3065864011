"""Many rows at once come back as they went in."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import polars as pl
import pytest
from sqlalchemy import text

from glyphd.services.context import Context
from glyphd.store import listings, rows
from glyphd.store.bulk_sqlite import ROWS_PER_STATEMENT
from glyphd.store.tables import import_artifacts, import_facets, import_model_stats, import_rejections
from glyphd.store.types import parse_timestamp


@pytest.mark.parametrize("count", [0, 1, ROWS_PER_STATEMENT - 1, ROWS_PER_STATEMENT, 2 * ROWS_PER_STATEMENT + 1])
def test_any_number_of_rows(context: Context, count: int) -> None:
    """In their order, whatever remains beside whole statements."""
    frame = pl.DataFrame(
        {"field": ["f"] * count, "value": [f"v{n:03}" for n in range(count)], "listing_count": range(count)},
        schema={"field": pl.String, "value": pl.String, "listing_count": pl.Int64},
    )
    with context.database.writing() as work:
        work.append(import_facets, frame, {"import_id": "i"})
        work.commit()
    assert [("i", *row) for row in frame.rows()] == _all(context, "SELECT * FROM import_facets ORDER BY value")


def test_values_of_every_kind(context: Context, publish_one: Callable[[], str]) -> None:
    """Bytes, quotes, non-ASCII text, big numbers."""
    frame = pl.DataFrame(
        {
            "import_index": [10, 2**31 - 1],
            "raw": [b"\x00\xff'", b""],
            "issues": ["é '\" \x1f 😀", "[]"],
        }
    )
    import_id = publish_one()
    with context.database.writing() as work:
        work.append(import_rejections, frame, {"import_id": import_id})
        work.commit()
    found = _all(context, "SELECT import_index, raw, issues FROM import_rejections ORDER BY import_index")
    assert frame.rows() == found


def test_columns_that_are_null_throughout_or_in_part(context: Context, publish_one: Callable[[], str]) -> None:
    """Whatever type the frame has for nothing at all."""
    import_id, digest = publish_one(), _all(context, "SELECT sha256 FROM artifacts")[0][0]
    files = {"role": ["a", "b"], "sha256": [digest] * 2, "media_type": ["x"] * 2}
    frames = [pl.DataFrame({**files, "filename": names}) for names in ([None, None], [None, "f"])]
    with context.database.writing() as work:
        work.append(import_artifacts, frames[0], {"import_id": import_id})
        work.append(import_artifacts, frames[1].with_columns(pl.col("role") + "2"), {"import_id": import_id})
        work.commit()
    query = "SELECT role, filename FROM import_artifacts WHERE role <> 'batch' ORDER BY role"
    assert [("a", None), ("a2", None), ("b", None), ("b2", "f")] == _all(context, query)


def test_existing_rows_are_left_as_they_are(context: Context, publish_one: Callable[[], str]) -> None:
    """A model keeps the facts of its first row and the import that named it first."""
    first = publish_one()
    frame = pl.DataFrame({"canonical_model": ["H100", "H100", "new"], "vram_gb": [1, 2, 3], **_facts(3)})
    known: set[str] = set()
    with context.database.writing() as work:
        rows.insert_new_models(work, first, frame, known, datetime(2026, 7, 1, tzinfo=UTC))
        rows.insert_new_models(work, first, frame, known, datetime(2026, 7, 1, tzinfo=UTC))
        work.commit()
    assert {"H100", "new"} == known
    found = _all(context, "SELECT model, vram_gb, created_at FROM models ORDER BY model")
    assert [("H100", 80), ("new", 3)] == [row[:2] for row in found]
    assert datetime(2026, 7, 1, tzinfo=UTC) == parse_timestamp(found[1][2])


def test_remembered_models_are_bounded(context: Context, publish_one: Callable[[], str]) -> None:
    """Past a number they are forgotten, which costs a lookup and no row."""
    import_id = publish_one()
    known = {str(number) for number in range(rows.MODELS_REMEMBERED + 1)}
    frame = pl.DataFrame({"canonical_model": ["new"], "vram_gb": [3], **_facts(1)})
    with context.database.writing() as work:
        rows.insert_new_models(work, import_id, frame, known, datetime(2026, 7, 1, tzinfo=UTC))
    assert {"new"} == known


def test_a_model_without_rows_has_no_example(context: Context, publish_one: Callable[[], str]) -> None:
    """The first by listing_key is the example of the others."""
    import_id = publish_one()
    with context.database.reading() as connection:
        example = listings.example_row(connection, import_id, "H100")
        assert listings.example_row(connection, import_id, "unknown") is None
    assert example is not None
    assert ("H100", 1) == (example["canonical_model"], example["import_index"])


def test_rows_of_unknown_models_are_counted(context: Context) -> None:
    """G1, set-wise: one query over the models of an import."""
    figures = {column.name: [1] for column in import_model_stats.columns if column.name != "import_id"}
    with context.database.writing() as work:
        work.append(import_model_stats, pl.DataFrame(figures | {"canonical_model": ["unknown"]}), {"import_id": "i"})
        assert (1, 0) == (rows.count_orphans(work.connection, "i"), rows.count_orphans(work.connection, "j"))


def _facts(count: int) -> dict[str, list[Any]]:
    names = ("tdp_watts", "mig_support", "nvlink", "generation", "cuda_cores", "slot_width", "pcie_generation")
    return {name: [None] * count for name in names}


def _all(context: Context, query: str) -> list[tuple[Any, ...]]:
    with context.database.reading() as connection:
        return [tuple(row) for row in connection.execute(text(query))]
