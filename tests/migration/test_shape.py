"""The schema that migrations build is the one the code works with."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import Engine, inspect, text

from glyphd.store import schema, tables

EngineFactory = Callable[[str], Engine]


def described(engine: Engine) -> dict[str, Any]:
    """Return everything about the tables of a schema that a reader or writer can notice."""
    inspector = inspect(engine)
    names = [
        name for name in inspector.get_table_names() if name != "alembic_version" and not name.startswith("_glyphd")
    ]
    return {
        name: {
            "columns": [
                (c["name"], str(c["type"]), c["nullable"], c["default"], c["primary_key"])
                for c in inspector.get_columns(name)
            ],
            "primary_key": inspector.get_pk_constraint(name)["constrained_columns"],
            "foreign_keys": sorted(
                (k["constrained_columns"], k["referred_table"], k["referred_columns"], k["options"])
                for k in inspector.get_foreign_keys(name)
            ),
            "unique": sorted((u["name"] or "", u["column_names"]) for u in inspector.get_unique_constraints(name)),
            "indexes": sorted(
                (i["name"], i["column_names"], i["unique"], [*map(str, i.get("dialect_options", {}).values())])
                for i in inspector.get_indexes(name)
            ),
            "options": inspector.get_table_options(name),
        }
        for name in names
    }


def test_migrations_build_what_the_tables_declare(make_engine: EngineFactory) -> None:
    """A database made by the migrations does not differ from one made from store/tables.py."""
    declared, migrated = make_engine("declared"), make_engine("migrated")
    tables.metadata.create_all(declared)
    schema.upgrade(migrated)

    assert described(declared) == described(migrated)


def test_autoincrement_is_declared_alike(make_engine: EngineFactory) -> None:
    """The same tables never give out an id twice."""
    declared, migrated = make_engine("declared"), make_engine("migrated")
    tables.metadata.create_all(declared)
    schema.upgrade(migrated)
    query = text(
        "SELECT name FROM sqlite_master WHERE sql LIKE '%AUTOINCREMENT%' AND name NOT LIKE '_glyphd%' ORDER BY 1"
    )
    with declared.connect() as left, migrated.connect() as right:
        expected, actual = left.execute(query).scalars().all(), right.execute(query).scalars().all()

    assert expected == actual


def test_the_view_shows_the_columns_of_a_listing(make_engine: EngineFactory) -> None:
    """visible_listings has the columns of scored_listings, in their order, but not what a column could not hold."""
    engine = make_engine("migrated")
    schema.upgrade(engine)

    expected = [column.name for column in tables.scored_listings.columns if column.name != "legacy_raw"]
    assert expected == [column["name"] for column in inspect(engine).get_columns("visible_listings")]
