"""The schema that migrations build is the one the code works with, on both engines."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import Engine, inspect, text

from glyphd.store import schema, tables
from tests.engines import only_postgresql, only_sqlite

from .places import Place

MakePlace = Callable[..., Place]


def described(engine: Engine) -> dict[str, Any]:
    """Return everything about the tables of a schema that a reader or writer can notice."""
    inspector = inspect(engine)
    names = [
        name for name in inspector.get_table_names() if name != "alembic_version" and not name.startswith("_glyphd")
    ]
    return {
        name: {
            "columns": [
                (
                    *(c["name"], str(c["type"]), getattr(c["type"], "collation", None), c["nullable"], c["default"]),
                    c.get("primary_key"),
                    c.get("identity"),
                )
                for c in inspector.get_columns(name)
            ],
            "primary_key": [inspector.get_pk_constraint(name)[part] for part in ("name", "constrained_columns")],
            "foreign_keys": sorted(
                (k["constrained_columns"], k["referred_table"], k["referred_columns"], k["options"])
                for k in inspector.get_foreign_keys(name)
            ),
            "unique": sorted((u["name"] or "", u["column_names"]) for u in inspector.get_unique_constraints(name)),
            "indexes": sorted(
                (i["name"], i["column_names"], i["unique"], [*map(str, i.get("dialect_options", {}).values())])
                for i in inspector.get_indexes(name)
            ),
            "options": {key: value for key, value in inspector.get_table_options(name).items() if value},
        }
        for name in names
    }


def test_migrations_build_what_the_tables_declare(make_place: MakePlace) -> None:
    """A database made by the migrations does not differ from one made from store/tables.py."""
    declared, migrated = make_place("declared"), make_place("migrated")
    tables.metadata.create_all(declared.engine)
    schema.upgrade(migrated.engine)

    assert described(declared.engine) == described(migrated.engine)


@only_postgresql
def test_postgresql_has_no_other_constraints_than_declared(make_place: MakePlace) -> None:
    """Names, definitions and whether they were checked: as PostgreSQL itself tells them."""
    declared, migrated = make_place("declared"), make_place("migrated")
    tables.metadata.create_all(declared.engine)
    schema.upgrade(migrated.engine)
    schema.downgrade(migrated.engine, to="0001")
    schema.upgrade(migrated.engine)
    expected, actual = declared.content(), migrated.content()

    for what in ("tables", "columns", "identities", "constraints", "indexes"):
        visible = [row for row in actual[what] if row[0] != "visible_listings"]
        assert expected[what] == visible


@only_sqlite
def test_autoincrement_is_declared_alike(make_place: MakePlace) -> None:
    """The same tables never give out an id twice."""
    declared, migrated = make_place("declared"), make_place("migrated")
    tables.metadata.create_all(declared.engine)
    schema.upgrade(migrated.engine)
    query = text(
        "SELECT name FROM sqlite_master WHERE sql LIKE '%AUTOINCREMENT%' AND name NOT LIKE '_glyphd%' ORDER BY 1"
    )
    with declared.engine.connect() as left, migrated.engine.connect() as right:
        expected, actual = left.execute(query).scalars().all(), right.execute(query).scalars().all()

    assert expected == actual


def test_the_view_shows_the_columns_of_a_listing(place: Place) -> None:
    """visible_listings has the columns of scored_listings, in their order, but not what a column could not hold."""
    schema.upgrade(place.engine)

    expected = [column.name for column in tables.scored_listings.columns if column.name != "legacy_raw"]
    assert expected == [column["name"] for column in inspect(place.engine).get_columns("visible_listings")]


def test_updated_at_follows_every_update(place: Place) -> None:
    """Four tables have a trigger for it on both engines."""
    schema.upgrade(place.engine)
    place.run("INSERT INTO models (model, updated_at) VALUES ('A', '2001-01-01');")

    place.run("UPDATE models SET vram_gb = 1;")

    assert place.run("SELECT count(*) FROM models WHERE updated_at > '2020-01-01'") == [(1,)]
    catalogue = "sqlite_master WHERE type = 'trigger'"
    if place.url.startswith("postgresql"):
        catalogue = "(SELECT tgname AS name FROM pg_trigger WHERE NOT tgisinternal) triggers WHERE true"
    assert place.run(f"SELECT name FROM {catalogue} AND name LIKE 'update_%' ORDER BY 1") == [
        ("update_listings_timestamp",),
        ("update_models_timestamp",),
        ("update_quantized_listings_timestamp",),
        ("update_scored_listings_timestamp",),
    ]
