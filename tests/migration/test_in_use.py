"""A database in use goes to any revision and back without losing a row (G8)."""

from collections.abc import Callable
from itertools import permutations
from typing import Any

from sqlalchemy import Engine

from glyphd.store import schema

Run = Callable[..., list[tuple[Any, ...]]]
Content = Callable[..., dict[str, Any]]
NUMBERS = ["base", *(f"{number:04d}" for number in range(1, int(schema.HEAD) + 1))]


def move(engine: Engine, to: str) -> None:
    """Go up or down to a revision."""
    here = schema.schema_status(engine).current or "base"
    if NUMBERS.index(to) < NUMBERS.index(here):
        schema.downgrade(engine, to=to)
    else:
        schema.upgrade(engine, to)


def test_every_way_leads_to_the_same_place(in_use: Engine, content: Content) -> None:
    """From any revision to any other: what is there depends on the revision, not on the way that led to it."""
    seen = {schema.HEAD: content()}
    for here, there in permutations(NUMBERS, 2):
        for number in (here, there):
            move(in_use, number)
            found = content()
            assert seen.setdefault(number, found) == found, (here, there, number)


def test_one_step_at_a_time(in_use: Engine, run: Run, content: Content) -> None:
    """Down one revision after the other and up again, twice, ends where it began."""
    at_head = content()
    for _ in range(2):
        for number in reversed(NUMBERS[:-1]):
            schema.downgrade(in_use)
            assert number == (schema.schema_status(in_use).current or "base")
        for number in NUMBERS[1:]:
            schema.upgrade(in_use, number)
        assert at_head == content()
        assert not run("PRAGMA foreign_key_check")


def test_an_old_reader_sees_what_is_visible_and_nothing_else(in_use: Engine, run: Run) -> None:
    """Rows that were taken out, or not yet let in, do not reappear in the old shape."""
    expected = run("SELECT id, price FROM visible_listings ORDER BY id")

    schema.downgrade(in_use, to="0001")

    assert expected == run("SELECT id, price FROM scored_listings ORDER BY id")
    assert [row[0] for row in run("SELECT import_id FROM import_batches ORDER BY id")] == [
        "july",
        "no-source",
        "empty",
        "p1",
        "replayed",
    ]
    assert not run("PRAGMA foreign_key_check")


def test_what_is_parked_stands_in_nobodys_way(in_use: Engine, run: Run) -> None:
    """At revision 0001 an old tool deletes what it likes, references being enforced."""
    schema.downgrade(in_use, to="0001")

    run("PRAGMA foreign_keys = ON; DELETE FROM models; DELETE FROM import_batches;")

    assert run("SELECT count(*) FROM scored_listings") == [(0,)]


def test_ids_are_not_given_out_again(in_use: Engine, run: Run) -> None:
    """An old tool's rows and imports get ids that no parked one has."""
    highest = run("SELECT max(id) FROM scored_listings"), run("SELECT 40")
    schema.downgrade(in_use, to="0001")

    run("INSERT INTO import_batches (import_id) VALUES ('old'); INSERT INTO scored_listings"
        " (canonical_model, price, vram_gb, tdp_watts, score) VALUES ('NEW', 1, 1, 1, 1);")  # fmt: skip

    assert run("SELECT id FROM import_batches WHERE import_id = 'old'") == [(41,)]
    assert run("SELECT max(id) FROM scored_listings") > highest[0]


def test_a_new_row_gets_a_number_nobody_had(in_use: Engine, run: Run) -> None:
    """Rows an old tool adds to an import are numbered after its rows and its rejections."""
    schema.downgrade(in_use, to="0001")
    run("INSERT INTO scored_listings (id, canonical_model, price, vram_gb, tdp_watts, score, import_id)"
        " VALUES (99, 'NEW', 1, 1, 1, 1, 'p1'), (100, 'NEW', 1, 1, 1, 1, 'july');")  # fmt: skip

    schema.upgrade(in_use)

    assert run("SELECT import_id, import_index FROM scored_listings WHERE id >= 99") == [("p1", 9), ("july", 3)]
    assert run("SELECT received, count, rejected FROM import_batches WHERE import_id = 'p1'") == [(4, 3, 1)]


def test_an_id_used_again_makes_way(in_use: Engine, run: Run) -> None:
    """Hidden rows return under new ids if an old tool took theirs, with what refers to them."""
    (row, *_), *_ = run("SELECT id FROM scored_listings WHERE import_id = 'back'")
    schema.downgrade(in_use, to="0001")
    run(f"INSERT INTO scored_listings (id, canonical_model, price, vram_gb, tdp_watts, score, import_id)"
        f" VALUES ({row}, 'NEW', 123, 1, 1, 1, 'p1');")  # fmt: skip

    schema.upgrade(in_use)

    assert run(f"SELECT import_id, price FROM scored_listings WHERE id = {row}") == [("p1", 123.0)]
    assert run("SELECT s.price, q.import_id FROM scored_listings s JOIN quantized_listings q"
               " ON q.scored_listing_id = s.id WHERE s.import_id = 'back'") == [(1.0, "back")]  # fmt: skip
    assert not run("PRAGMA foreign_key_check")


def test_a_deleted_import_stays_on_record(in_use: Engine, run: Run) -> None:
    """An import an old tool deleted returns as purged, with all that is told about it; its replay stands alone."""
    schema.downgrade(in_use, to="0001")
    run("DELETE FROM scored_listings WHERE import_id = 'p1'; DELETE FROM listings WHERE import_id = 'p1';"
        "DELETE FROM quantized_listings WHERE import_id = 'p1'; UPDATE models SET import_id = NULL;"
        "DELETE FROM import_batches WHERE import_id = 'p1';")  # fmt: skip

    schema.upgrade(in_use)

    assert run("SELECT id, status, count, rejected FROM import_batches WHERE import_id = 'p1'") == [
        (20, "purged", 0, 1)
    ]
    for table in ("import_events", "import_artifacts", "import_rejections"):
        assert run(f"SELECT count(*) > 0 FROM {table} WHERE import_id = 'p1'") == [(1,)]
    assert run("SELECT kind, parent_import_id, source_version FROM import_batches WHERE import_id = 'replayed'") == [
        ("batch", None, 7)
    ]


def test_an_import_id_used_again_does_not_bring_rows_back(in_use: Engine, run: Run) -> None:
    """A rolled-back import whose id an old tool used again returns beside it, still rolled back."""
    schema.downgrade(in_use, to="0001")
    run("INSERT INTO import_batches (import_id, source) VALUES ('back', 'shop');"
        "INSERT INTO scored_listings (canonical_model, price, vram_gb, tdp_watts, score, import_id)"
        " VALUES ('NEW', 55, 1, 1, 1, 'back');")  # fmt: skip

    schema.upgrade(in_use)

    assert run("SELECT import_id, status FROM import_batches WHERE import_id LIKE 'back%' ORDER BY id") == [
        ("back~parked", "rolled_back"),
        ("back", "published"),
    ]
    assert run("SELECT price FROM scored_listings WHERE import_id = 'back'") == [(55.0,)]
    assert run("SELECT price FROM scored_listings WHERE import_id = 'back~parked'") == [(1.0,)]
