"""A database in use goes to any revision and back without losing a row (G8), on both engines."""

from collections.abc import Callable

from sqlalchemy import Engine

from glyphd.store import schema

from .places import Place

NUMBERS = ["base", *(f"{number:04d}" for number in range(1, int(schema.HEAD) + 1))]


def move(engine: Engine, to: str) -> None:
    """Go up or down to a revision."""
    here = schema.schema_status(engine).current or "base"
    if NUMBERS.index(to) < NUMBERS.index(here):
        schema.downgrade(engine, to=to)
    else:
        schema.upgrade(engine, to)


def test_every_way_leads_to_the_same_place(used: Place, used_url: str, make_place: Callable[..., Place]) -> None:
    """From any revision to any other: what is there depends on the revision, not on the way that led to it."""
    seen = {schema.HEAD: used.content()}
    for here in NUMBERS:
        place = make_place(f"from {here}", like=used_url)  # PostgreSQL never forgets a column: 1600 of a table in all
        for there in (number for number in NUMBERS if number != here):
            for number in (here, there):
                move(place.engine, number)
                found = place.content()
                assert seen.setdefault(number, found) == found, (here, there, number)
        place.engine.dispose()


def test_one_step_at_a_time(used: Place) -> None:
    """Down one revision after the other and up again, twice, ends where it began."""
    at_head = used.content()
    for _ in range(2):
        for number in reversed(NUMBERS[:-1]):
            schema.downgrade(used.engine)
            assert number == (schema.schema_status(used.engine).current or "base")
        for number in NUMBERS[1:]:
            schema.upgrade(used.engine, number)
        assert at_head == used.content()


def test_an_old_reader_sees_what_is_visible_and_nothing_else(used: Place) -> None:
    """Rows that were taken out, or not yet let in, do not reappear in the old shape."""
    expected = used.run("SELECT id, price FROM visible_listings ORDER BY id")

    schema.downgrade(used.engine, to="0001")

    assert expected == used.run("SELECT id, price FROM scored_listings ORDER BY id")
    assert [row[0] for row in used.run("SELECT import_id FROM import_batches ORDER BY id")] == [
        "july",
        "no-source",
        "empty",
        "p1",
        "corrected",
        "replay 2",
    ]


def test_the_newest_published_replay_stands_for_its_batch(used: Place) -> None:
    """In the view of visible listings; an amendment adds to its batch, and goes with it when that is rolled back."""
    seen = "SELECT import_id FROM visible_listings WHERE import_id LIKE 're%' OR import_id IN ('p1', 'corrected')"
    distinct = f"SELECT DISTINCT import_id FROM ({seen}) seen ORDER BY 1"
    assert used.run(distinct) == [("corrected",), ("p1",), ("replay 2",)]

    used.run("UPDATE import_batches SET status = 'rolled_back' WHERE import_id IN ('replay 2', 'p1');")
    assert used.run(distinct) == [("replay 1",)]

    used.run("UPDATE import_batches SET status = 'rolled_back' WHERE import_id = 'replay 1';")
    assert used.run(distinct) == [("replaced",)]

    used.run("UPDATE import_batches SET status = 'published' WHERE import_id = 'replay 3';")
    assert used.run(distinct) == [("replay 3",)]

    used.run("UPDATE import_batches SET status = 'rolled_back' WHERE import_id = 'replaced';")
    assert used.run(distinct) == []


def test_what_is_parked_stands_in_nobodys_way(used: Place) -> None:
    """At revision 0001 an old tool deletes what it likes, references being enforced."""
    schema.downgrade(used.engine, to="0001")

    used.run("DELETE FROM models; DELETE FROM import_batches;")

    assert used.run("SELECT count(*) FROM scored_listings") == [(0,)]


def test_ids_are_not_given_out_again(used: Place) -> None:
    """An old tool's rows and imports get ids that no parked one has."""
    highest = used.run("SELECT max(id) FROM scored_listings"), used.run("SELECT 40")
    schema.downgrade(used.engine, to="0001")

    used.run(
        "INSERT INTO import_batches (import_id) VALUES ('old'); INSERT INTO scored_listings"
        " (canonical_model, price, vram_gb, tdp_watts, score) VALUES ('NEW', 1, 1, 1, 1);"
    )

    assert used.run("SELECT id FROM import_batches WHERE import_id = 'old'") == [(41,)]
    assert used.run("SELECT max(id) FROM scored_listings") > highest[0]


def test_a_new_row_gets_a_number_nobody_had(used: Place) -> None:
    """Rows an old tool adds to an import are numbered after its rows and its rejections."""
    schema.downgrade(used.engine, to="0001")
    used.run(
        "INSERT INTO scored_listings (id, canonical_model, price, vram_gb, tdp_watts, score, import_id)"
        " VALUES (99, 'NEW', 1, 1, 1, 1, 'p1'), (100, 'NEW', 1, 1, 1, 1, 'july');"
    )

    schema.upgrade(used.engine)

    assert used.run("SELECT import_id, import_index FROM scored_listings WHERE id >= 99 ORDER BY id") == [
        ("p1", 9),
        ("july", 3),
    ]
    assert used.run("SELECT received, count, rejected FROM import_batches WHERE import_id = 'p1'") == [(4, 3, 1)]


def test_an_id_used_again_makes_way(used: Place) -> None:
    """Hidden rows return under new ids if an old tool took theirs, with what refers to them."""
    (row, *_), *_ = used.run("SELECT id FROM scored_listings WHERE import_id = 'back'")
    schema.downgrade(used.engine, to="0001")
    used.run(
        f"INSERT INTO scored_listings (id, canonical_model, price, vram_gb, tdp_watts, score, import_id)"
        f" VALUES ({row}, 'NEW', 123, 1, 1, 1, 'p1');"
    )

    schema.upgrade(used.engine)

    assert used.run(f"SELECT import_id, price FROM scored_listings WHERE id = {row}") == [("p1", 123.0)]
    assert used.run(
        "SELECT s.price, q.import_id FROM scored_listings s JOIN quantized_listings q"
        " ON q.scored_listing_id = s.id WHERE s.import_id = 'back'"
    ) == [(1.0, "back")]


def test_a_deleted_import_stays_on_record(used: Place) -> None:
    """An import an old tool deleted returns as purged, with all that is told about it; its amendment stands alone."""
    schema.downgrade(used.engine, to="0001")
    used.run(
        "DELETE FROM scored_listings WHERE import_id = 'p1'; DELETE FROM listings WHERE import_id = 'p1';"
        "DELETE FROM quantized_listings WHERE import_id = 'p1'; UPDATE models SET import_id = NULL;"
        "DELETE FROM import_batches WHERE import_id = 'p1';"
    )

    schema.upgrade(used.engine)

    assert used.run("SELECT id, status, count, rejected FROM import_batches WHERE import_id = 'p1'") == [
        (20, "purged", 0, 1)
    ]
    for table in ("import_events", "import_artifacts", "import_rejections"):
        assert used.run(f"SELECT count(*) > 0 FROM {table} WHERE import_id = 'p1'") == [(1,)]
    assert used.run(
        "SELECT kind, parent_import_id, source_version FROM import_batches WHERE import_id = 'corrected'"
    ) == [("batch", None, 8)]


def test_an_import_id_used_again_does_not_bring_rows_back(used: Place) -> None:
    """A rolled-back import whose id an old tool used again returns beside it, still rolled back."""
    schema.downgrade(used.engine, to="0001")
    used.run(
        "INSERT INTO import_batches (import_id, source) VALUES ('back', 'shop');"
        "INSERT INTO scored_listings (canonical_model, price, vram_gb, tdp_watts, score, import_id)"
        " VALUES ('NEW', 55, 1, 1, 1, 'back');"
    )

    schema.upgrade(used.engine)

    assert used.run("SELECT import_id, status FROM import_batches WHERE import_id LIKE 'back%' ORDER BY id") == [
        ("back~parked", "rolled_back"),
        ("back", "published"),
    ]
    assert used.run("SELECT price FROM scored_listings WHERE import_id = 'back'") == [(55.0,)]
    assert used.run("SELECT price FROM scored_listings WHERE import_id = 'back~parked'") == [(1.0,)]


def test_legacy_raw_follows_its_row(used: Place) -> None:
    """A hidden row that gets a new id, one that was moved to another import: each has its own value again."""
    query = "SELECT canonical_model, price FROM scored_listings WHERE legacy_raw IS NOT NULL ORDER BY price"
    before = used.run(query)
    (row, *_), *_ = used.run("SELECT id FROM scored_listings WHERE import_id = 'back'")
    schema.downgrade(used.engine, to="0001")
    used.run(
        f"INSERT INTO scored_listings (id, canonical_model, price, vram_gb, tdp_watts, score, import_id)"
        f" VALUES ({row}, 'NEW', 123, 1, 1, 1, 'p1');"
        " UPDATE scored_listings SET import_id = 'july' WHERE import_id = 'p1' AND price = 5;"
    )

    schema.upgrade(used.engine)

    assert used.run("SELECT import_id FROM scored_listings WHERE price = 5 AND canonical_model = 'NEW'") == [("july",)]
    assert len(before) == 3
    assert before == used.run(query)
