"""Databases from the field, in whatever shape, go up, down to that shape, and up again (G8)."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from glyphd.store import schema

from .shapes import SHAPES

EngineFactory = Callable[..., Engine]
Run = Callable[..., list[tuple[Any, ...]]]
Content = Callable[..., dict[str, Any]]

SAMPLE = Path(__file__).parents[3] / "shared/data/legacy/pre_import_index.sqlite"


def assert_every_row_has_its_place(run: Run) -> None:
    """G1 and G2, in SQL."""
    for table in ("scored_listings", "listings", "quantized_listings"):
        assert not run(f"SELECT id FROM {table} WHERE import_id IS NULL OR import_index IS NULL OR import_index < 1")
        assert not run(f"SELECT 1 FROM {table} GROUP BY import_id, import_index HAVING count(*) > 1")
        assert not run(f"SELECT id FROM {table} WHERE import_id NOT IN (SELECT import_id FROM import_batches)")
    assert not run("SELECT id FROM scored_listings WHERE canonical_model NOT IN (SELECT model FROM models)")
    assert not run(
        "SELECT b.import_id, received, b.count, n.rows FROM import_batches b LEFT JOIN"
        " (SELECT import_id, count(*) AS rows FROM scored_listings GROUP BY 1) n ON n.import_id = b.import_id"
        " WHERE b.count <> coalesce(n.rows, 0) OR received <> b.count + rejected"
    )
    assert not run("SELECT import_id FROM import_batches WHERE observed_at IS NULL OR source_version IS NULL")


@pytest.mark.parametrize("shape", SHAPES)
def test_a_shape_from_the_field_goes_up_down_and_up(
    shape: str, make_engine: EngineFactory, run: Run, content: Content, violations: Run
) -> None:
    """Nothing is lost on the way up, the old shape comes back to the letter, and the way up leads to the same place."""
    run(SHAPES[shape] + ";")
    engine = make_engine()
    schema.upgrade(engine, "0001")
    adopted, before = content(), violations()

    schema.upgrade(engine)
    at_head = content()
    assert_every_row_has_its_place(run)
    assert set(violations()) <= set(before)

    schema.downgrade(engine, to="0001")
    assert adopted == content()
    assert before == violations()

    schema.upgrade(engine)
    assert at_head == content()

    schema.downgrade(engine, to="base")
    assert adopted == content()
    assert not run("SELECT * FROM alembic_version")


@pytest.mark.parametrize("shape", [shape for shape in SHAPES if not shape.startswith(("no ", "models without"))])
def test_adoption_changes_nothing(shape: str, make_engine: EngineFactory, run: Run, content: Content) -> None:
    """Revision 0001 leaves a database that has everything exactly as it was found."""
    run(SHAPES[shape] + ";")
    found = content()

    schema.upgrade(make_engine(), "0001")

    assert found == content()


def test_the_sample_from_the_field(make_engine: EngineFactory, run: Run, content: Content, tmp_path: Path) -> None:
    """The database an earlier service left behind goes up and comes back with every index, trigger, value and id."""
    if not SAMPLE.exists():
        pytest.skip(f"{SAMPLE} is not there")
    shutil.copy(SAMPLE, tmp_path / "glyphd.sqlite")
    found, engine = content(), make_engine()

    schema.upgrade(engine)
    at_head = content()
    assert_every_row_has_its_place(run)
    assert not run("PRAGMA foreign_key_check")
    assert run("SELECT count(*) FROM visible_listings") == [(220,)]
    schema.downgrade(engine, to="0001")
    assert found == content()
    schema.upgrade(engine)
    assert at_head == content()


def test_a_column_glyphd_never_writes_stops_no_row(make_engine: EngineFactory, run: Run) -> None:
    """A required column of somebody else's is optional at head; on the way down it gets an empty value."""
    run(SHAPES["required unknown column"])
    engine = make_engine()
    schema.upgrade(engine)
    run("INSERT INTO scored_listings (canonical_model, price, vram_gb, tdp_watts, score, import_id, import_index)"
        " SELECT 'A', 2, 2, 2, 2, import_id, 2 FROM import_batches;")  # fmt: skip

    schema.downgrade(engine, to="0001")

    assert run("SELECT price, crawl FROM scored_listings ORDER BY id") == [(1.0, 1), (2.0, 0)]


def test_values_are_at_head_what_they_were(make_engine: EngineFactory, run: Run) -> None:
    """Every value of every column that was there, and its storage class, text in number columns included."""

    def values() -> list[list[tuple[Any, ...]]]:
        return [
            run(f"SELECT {', '.join(f'{name}, typeof({name})' for name in names)} FROM {table} ORDER BY id")
            for table, names in columns.items()
        ]

    run(SHAPES["as documented"])
    columns = {
        table: [row[1] for row in run(f"PRAGMA table_info({table})") if row[1] != "import_id" or table == "models"]
        for table in ("schema_version", "models", "listings", "scored_listings", "quantized_listings")
    }
    before = values()
    batches = run("SELECT * FROM import_batches ORDER BY id")

    schema.upgrade(make_engine())

    assert before == values()
    assert batches == run(
        "SELECT id, import_id, imported_at, source, record_count, description FROM import_batches"
        " WHERE id > 0 ORDER BY id"
    )


def test_numbers_that_were_there_stay(make_engine: EngineFactory, run: Run) -> None:
    """A missing, odd or taken import_index is given anew, after the highest of its import."""
    run(SHAPES["some import_index"])

    schema.upgrade(make_engine())

    assert run("SELECT id, import_index FROM scored_listings WHERE id IN (1, 2, 7, 8) ORDER BY id") == [
        (1, 3), (2, 4), (7, 1), (8, 2),
    ]  # fmt: skip


@pytest.mark.parametrize("shape", ["as documented", "other index names", "whole import_index", "more indexes"])
def test_only_the_old_layout_goes(shape: str, make_engine: EngineFactory, run: Run) -> None:
    """Indexes over one column of the old layout go, whatever they are called; other people's stay."""
    run(SHAPES[shape])

    schema.upgrade(make_engine())

    others = {"more indexes": ["by_seller", "cheap", "up"]}.get(shape, [])
    query = "SELECT name FROM sqlite_master WHERE type = 'index' AND sql NOT NULL AND tbl_name IN"
    found = run(query + " ('models', 'listings', 'scored_listings', 'quantized_listings') COLLATE NOCASE ORDER BY name")
    assert sorted(["idx_quantized_listings_scored_listing_id", *others]) == [name for (name,) in found]
