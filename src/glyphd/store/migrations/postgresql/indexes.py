"""The single-column indexes of the old layout, on PostgreSQL.

They go in revision 0003, before the first update of every row: each would have to be written for each row.
"""

import sqlalchemy as sa
from sqlalchemy import Connection

from glyphd.store.migrations import baseline

_KEPT = "idx_quantized_listings_scored_listing_id"  # without it a delete of scored rows scans the whole table


def drop(connection: Connection) -> None:
    """Drop the indexes that an import would pay for; one that somebody has dropped is not missed."""
    for index in _indexes():
        connection.exec_driver_sql(f"DROP INDEX IF EXISTS {index.name}")


def restore(connection: Connection) -> None:
    """Bring them back."""
    for index in _indexes():
        index.create(connection, checkfirst=True)


def _indexes() -> list[sa.Index]:
    every = [index for table in baseline.metadata.sorted_tables for index in table.indexes]
    return sorted((index for index in every if index.name != _KEPT), key=lambda index: str(index.name))
