"""Revision 0004: which indexes go on the way up, whatever they are called, and how they come back."""

from sqlalchemy import Connection

from glyphd.store.migrations.sqlite.ddl import quoted
from glyphd.store.migrations.sqlite.parking import park_texts, take_texts
from glyphd.store.migrations.sqlite.rebuilding import index_texts

_KEPT = "idx_quantized_listings_scored_listing_id"  # without it a delete of scored rows scans the whole table
_CREATED = f"created {_KEPT}"

_IDENTITY = ("import_id", "import_index")

_GOING: dict[str, set[tuple[str, ...]]] = {
    "models": {("model",)},
    "listings": {("canonical_model",), ("import_id",), _IDENTITY},
    "scored_listings": {("canonical_model",), ("score",), ("region",), ("seen_at",), ("import_id",), _IDENTITY},
    "quantized_listings": {("scored_listing_id",), ("import_id",), _IDENTITY},
}


def drop_single_column_indexes(connection: Connection) -> None:
    """Drop the indexes of the old layout; each costs an import a third of its speed or more."""
    for table, going in _GOING.items():
        texts = index_texts(connection, table)
        gone = {
            name: sql for name, sql in texts.items() if name != _KEPT and _columns(connection, table, name) in going
        }
        park_texts(connection, "0004", gone.items())
        for name in gone:
            connection.exec_driver_sql(f"DROP INDEX {quoted(name)}")
    if _KEPT not in index_texts(connection, "quantized_listings"):
        park_texts(connection, "0004", [(_CREATED, "")])
        connection.exec_driver_sql(f"CREATE INDEX {_KEPT} ON quantized_listings (scored_listing_id)")


def restore_indexes(connection: Connection) -> None:
    """Bring the indexes of the old layout back, verbatim."""
    texts = take_texts(connection, "0004")
    if texts.pop(_CREATED, None) is not None:
        connection.exec_driver_sql(f"DROP INDEX {_KEPT}")
    for sql in texts.values():
        connection.exec_driver_sql(sql)


def _columns(connection: Connection, table: str, index: str) -> tuple[str, ...] | None:
    """Return what a plain index is over; None for one that says more: a part of the rows, expressions, uniqueness."""
    kinds = {row[1]: row for row in connection.exec_driver_sql(f"PRAGMA index_list({quoted(table)})")}
    (unique, partial), found = kinds[index][2::2], connection.exec_driver_sql(f"PRAGMA index_info({quoted(index)})")
    columns = tuple((row[2] or "").lower() for row in found)
    return None if partial or "" in columns or (unique and columns != _IDENTITY) else columns
