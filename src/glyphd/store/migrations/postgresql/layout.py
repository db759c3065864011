"""Revision 0004 on PostgreSQL: rows are keyed by their import; references are no longer checked row by row.

With foreign keys `COPY` writes 74-76k rows/s, without 268-284k (measured, DESIGN §4). The audit of an import compares
sets instead, and triggers (guards.py) refuse to delete an import or a model under its rows.
"""

import sqlalchemy as sa
from sqlalchemy import Connection

from glyphd.store.migrations import baseline
from glyphd.store.migrations.postgresql import guards
from glyphd.store.migrations.postgresql.parking import keep_sequence, temporary, untouched
from glyphd.store.migrations.postgresql.rows import refer_to_import, unique

_KEPT = "idx_quantized_listings_scored_listing_id"  # without it a delete of scored rows scans the whole table


def key_by_import(connection: Connection) -> None:
    """Drop the single-column indexes, the key by id, and the references of what is filled in bulk."""
    for index in _indexes():
        connection.exec_driver_sql(f"DROP INDEX IF EXISTS {index}")
    for name in ("canonical_model", "import_id"):
        connection.exec_driver_sql(f"ALTER TABLE scored_listings DROP CONSTRAINT scored_listings_{name}_fkey")
    connection.exec_driver_sql(
        "ALTER TABLE quantized_listings DROP CONSTRAINT quantized_listings_scored_listing_id_fkey"
    )
    connection.exec_driver_sql(
        "ALTER TABLE scored_listings DROP CONSTRAINT scored_listings_pkey,"
        " ADD CONSTRAINT scored_listings_pkey PRIMARY KEY USING INDEX uq_scored_listings_import_index"
    )
    guards.guard_imports(connection, "scored_listings")


def restore_layout(connection: Connection) -> None:
    """Bring indexes, key and references back; rows that refer to nothing stop nothing."""
    guards.release_imports(connection, "scored_listings")
    keep_sequence(connection, "scored_listings")
    _tell_apart(connection)
    connection.exec_driver_sql("ALTER TABLE scored_listings DROP CONSTRAINT scored_listings_pkey")
    connection.exec_driver_sql(unique("scored_listings"))
    connection.exec_driver_sql("ALTER TABLE scored_listings ADD CONSTRAINT scored_listings_pkey PRIMARY KEY (id)")
    refer_to_import(connection, "scored_listings", "RESTRICT")
    for table, column, parent in (
        ("scored_listings", "canonical_model", "models (model)"),
        ("quantized_listings", "scored_listing_id", "scored_listings (id)"),
    ):
        connection.exec_driver_sql(
            f"ALTER TABLE {table} ADD CONSTRAINT {table}_{column}_fkey FOREIGN KEY ({column})"
            f" REFERENCES {parent} ON DELETE CASCADE NOT VALID"
        )
    for index in _indexes().values():
        index.create(connection)


def _tell_apart(connection: Connection) -> None:
    """Give rows that brought an id which another row has a new one: nothing at the newest revision forbids them."""
    twice = (
        "SELECT import_id, import_index, (SELECT max(id) FROM scored_listings)"
        " + row_number() OVER (ORDER BY import_id, import_index) AS new FROM (SELECT import_id, import_index,"
        " row_number() OVER (PARTITION BY id ORDER BY import_id, import_index) AS place FROM scored_listings) numbered"
        " WHERE place > 1"
    )
    with untouched(connection, ["scored_listings"]), temporary(connection, "_glyphd_twice", twice) as rows:
        connection.exec_driver_sql(
            f"UPDATE scored_listings s SET id = t.new FROM {rows} t"
            " WHERE t.import_id = s.import_id AND t.import_index = s.import_index"
        )
    keep_sequence(connection, "scored_listings")


def _indexes() -> dict[str, sa.Index]:
    """Return the indexes of the old layout that an import would pay for, by name."""
    every = (index for table in baseline.metadata.sorted_tables for index in table.indexes)
    return {str(index.name): index for index in sorted(every, key=lambda index: str(index.name)) if index.name != _KEPT}
