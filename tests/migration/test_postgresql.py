"""What is PostgreSQL's own in a migration: rows written by SQL in between, guards instead of references, locks."""

import time
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from glyphd.domain.identity import hash_identity, identity_text
from glyphd.errors import MigrationFailed
from glyphd.store import schema
from tests.engines import only_postgresql

from .places import Place

pytestmark = only_postgresql

SYNTHETIC = "00000000-0000-7000-8000-000000000000"
COLUMNS = "(canonical_model, price, vram_gb, tdp_watts, score, seller, region, source_url, import_id)"


@pytest.fixture
def added(used: Place) -> Place:
    """A database in use to which rows were added by SQL while it was at the lowest revision."""
    schema.downgrade(used.engine, to="0001")
    used.run(
        "INSERT INTO import_batches (import_id, source, imported_at) VALUES ('new', 'shop', '2026-02-03 04:05+01');"
        f"INSERT INTO scored_listings {COLUMNS} VALUES"
        " ('NEW', 10, 1, 1, 1, ' a ', 'N/A', NULL, 'new'),"
        " ('NEW', 30, 1, 1, 3, 'b', NULL, ' HTTPS://x.example/1#y ', 'new'),"
        " ('NEW', 11, 1, 1, 2, NULL, NULL, NULL, 'july'), ('NEW', 12, 1, 1, 2, NULL, NULL, NULL, NULL);"
        "INSERT INTO scored_listings (canonical_model, price, vram_gb, tdp_watts, score, updated_at)"
        " VALUES ('NEW', 'NaN', 1, 1, 1, '2001-01-01');"
    )
    schema.upgrade(used.engine)
    return used


def test_added_rows_get_an_import(added: Place) -> None:
    """A new import is the next of its source; others are counted again; rows without one get the synthetic one."""
    ledger = "SELECT kind, status, source_version, previous_import_id, received, count, rejected, min_price, max_price"
    assert added.run(f"{ledger} FROM import_batches WHERE import_id = 'new'") == [
        ("batch", "published", 8, "replaced", 2, 2, 0, 10.0, 30.0)
    ]
    others = f"WHERE import_id IN ('july', '{SYNTHETIC}') ORDER BY id"
    assert added.run(f"SELECT import_id, received, count, source FROM import_batches {others}") == [
        (SYNTHETIC, 4, 4, "legacy"),
        ("july", 3, 3, "api"),
    ]


def test_added_rows_get_a_number(added: Place) -> None:
    """One that nobody had; `updated_at` stays."""
    mine = f"import_id IN ('new', 'july', '{SYNTHETIC}')"
    rows = f"FROM scored_listings WHERE price IN (10, 30, 11, 12) AND {mine} ORDER BY id"
    assert added.run(f"SELECT import_id, import_index {rows}") == [
        ("new", 1),
        ("new", 2),
        ("july", 3),
        (SYNTHETIC, 3),
    ]
    assert added.run(
        "SELECT updated_at = '2001-01-01' FROM scored_listings WHERE price = 'NaN' AND import_index = 4"
    ) == [(True,)]


def test_added_rows_are_derived_from(added: Place) -> None:
    """Sightings under the key of the next crawl, figures, facets."""
    keys = [("NEW", None, "a", None, None), ("NEW", "HTTPS://x.example/1#y", "b", None, None)]
    expected = [(hash_identity(identity_text(*key)), price) for key, price in zip(keys, (10.0, 30.0), strict=True)]
    assert expected == added.run("SELECT listing_key, price FROM sightings WHERE import_id = 'new' ORDER BY price")
    figures = "SELECT listing_count, p25_price, median_price, avg_price FROM import_model_stats"
    assert added.run(f"{figures} WHERE import_id = 'new'") == [(2, 15.0, 20.0, 20.0)]
    facets = "SELECT field, value, listing_count FROM import_facets WHERE import_id = 'new' ORDER BY 1, 2"
    assert added.run(facets) == [("region", "N/A", 1), ("seller", " a ", 1), ("seller", "b", 1)]


def test_what_did_not_change_is_not_derived_again(used: Place) -> None:
    """Figures return as they were; those of an import whose rows changed are made anew."""
    figures = "SELECT DISTINCT import_id FROM sightings WHERE listing_key = 77 ORDER BY 1"
    before = used.run(figures)
    schema.downgrade(used.engine, to="0001")
    used.run("UPDATE scored_listings SET price = price + 1 WHERE import_id = 'p1';")

    schema.upgrade(used.engine)

    assert [row for row in before if row != ("p1",)] == used.run(figures)
    assert used.run("SELECT price FROM sightings WHERE import_id = 'p1' ORDER BY 1") == [(6.0,), (8.5,)]


def test_very_many_values_are_not_counted(place: Place) -> None:
    """A facet with too many values in an import is named instead, in JSON."""
    schema.upgrade(place.engine, "0001")
    place.run(
        "INSERT INTO models (model) VALUES ('A'); INSERT INTO scored_listings"
        " (canonical_model, price, vram_gb, tdp_watts, score, seller, source_type)"
        " SELECT 'A', 1, 1, 1, 1, 'seller ' || n, 'type ' || n FROM generate_series(1, 1001) n;"
    )

    schema.upgrade(place.engine)

    assert place.run("SELECT uncounted_facets::text FROM import_batches") == [('["seller","source_type"]',)]
    assert place.run("SELECT count(*) FROM sightings") == [(1001,)]


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM import_batches WHERE import_id = 'running'",
        "UPDATE import_batches SET import_id = 'x' WHERE import_id = 'running'",
        "DELETE FROM import_batches WHERE import_id = 'only rejections'",
        "DELETE FROM models WHERE model = 'NEW'",
        "UPDATE models SET model = 'OLD' WHERE model = 'NEW'",
        "DELETE FROM models WHERE model = 'listed'",
    ],
)
def test_nothing_goes_away_under_its_rows(statement: str, used: Place) -> None:
    """What a foreign key would refuse a trigger refuses, as a violation of one (G1)."""
    used.run(
        "DELETE FROM listings WHERE canonical_model = 'NEW'; INSERT INTO import_batches (import_id) VALUES"
        " ('only rejections'); INSERT INTO import_rejections (import_id, import_index, raw, issues) VALUES"
        " ('only rejections', 1, '', '[]'); INSERT INTO models (model) VALUES ('listed'); INSERT INTO listings"
        " (title, price, canonical_model, match_type, match_score, import_id, import_index)"
        " VALUES ('t', 1, 'listed', 'x', 1, 'july', 77);"
    )

    with pytest.raises(psycopg.errors.ForeignKeyViolation, match="still referred to by"):
        used.run(statement)


def test_what_nothing_refers_to_can_go(used: Place) -> None:
    """Guards do not stand in the way of anything else."""
    used.run(
        "INSERT INTO import_batches (import_id) VALUES ('alone'); INSERT INTO models (model) VALUES ('alone');"
        "UPDATE import_batches SET import_id = 'still alone' WHERE import_id = 'alone';"
        "UPDATE models SET model = 'still alone' WHERE model = 'alone';"
        "DELETE FROM import_batches WHERE import_id = 'still alone'; DELETE FROM models WHERE model = 'still alone';"
        "UPDATE import_batches SET import_id = import_id, status = 'failed' WHERE import_id = 'running';"
    )

    assert used.run("SELECT status FROM import_batches WHERE import_id = 'running'") == [("failed",)]
    assert used.run("SELECT 1 FROM import_batches WHERE import_id LIKE '%alone'") == []


def test_rows_that_no_constraint_checked_stop_no_migration(used: Place) -> None:
    """Of an import that is still running: a model nobody knows yet, and ids that another row has."""
    used.run(
        "INSERT INTO scored_listings (id, canonical_model, price, vram_gb, tdp_watts, score, import_id, import_index)"
        " VALUES (1, 'NOT YET KNOWN', 1, 1, 1, 1, 'running', 101), (1, 'NEW', 2, 1, 1, 1, 'running', 102),"
        " (1, 'NEW', 3, 1, 1, 1, 'p1', 103), (5000, 'NEW', 4, 1, 1, 1, 'nowhere', 1);"
    )
    rows = "SELECT canonical_model, price::text, import_id, import_index FROM scored_listings ORDER BY 3, 4"
    before, at_head = used.run(rows), used.content()

    schema.downgrade(used.engine, to="0001")
    schema.upgrade(used.engine)

    assert before == used.run(rows)
    assert used.run("SELECT id FROM scored_listings GROUP BY id HAVING count(*) > 1") == []
    assert used.run(
        "INSERT INTO scored_listings (canonical_model, price, vram_gb, tdp_watts, score, import_id, import_index)"
        " VALUES ('NEW', 1, 1, 1, 1, 'p1', 999) RETURNING id > 5000"
    ) == [(True,)]
    assert at_head["constraints"] == used.content()["constraints"]


def test_a_table_that_is_something_else_is_refused(place: Place) -> None:
    """What only has the name of one of the tables was not made by glyphd."""
    place.run("CREATE TABLE models (model text);")
    before = place.content(parked=True)

    with pytest.raises(MigrationFailed, match="Table models has no column id"):
        schema.upgrade(place.engine)

    assert before == place.content(parked=True)


def test_what_others_hold_is_waited_for(place: Place) -> None:
    """A migration begins when writers are done, and sees what they wrote, whatever isolation is the default."""
    schema.upgrade(place.engine, "0001")
    place.run(f"ALTER DATABASE {place.engine.url.database} SET default_transaction_isolation = 'serializable'")
    place.engine.dispose()
    with psycopg.connect(place.url) as writer, ThreadPoolExecutor(1) as pool:
        writer.execute("INSERT INTO models (model) VALUES ('A')")
        writer.execute("INSERT INTO scored_listings (canonical_model, price, vram_gb, tdp_watts, score)"
                       " VALUES ('A', 1, 1, 1, 1)")  # fmt: skip
        migration = pool.submit(schema.upgrade, place.engine)
        time.sleep(0.3)
        assert not migration.done()
        writer.commit()
        migration.result(60)

    assert place.run("SELECT count, received FROM import_batches") == [(1, 1)]


@pytest.mark.parametrize("level", ["AUTOCOMMIT", "READ COMMITTED", "SERIALIZABLE"])
def test_the_isolation_of_the_pool_does_not_matter(level: str, place: Place) -> None:
    """Whatever the engine was made for, a dry run leaves nothing and a run leaves everything."""
    engine = place.engine.execution_options(isolation_level=level)

    schema.upgrade(engine, dry_run=True)
    assert schema.schema_status(engine).current is None
    schema.upgrade(engine)

    assert schema.schema_status(engine).current == schema.HEAD
    assert place.run("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'") == [(0,)]
