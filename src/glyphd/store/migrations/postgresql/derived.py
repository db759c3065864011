"""Revisions 0005 and 0006 on PostgreSQL: what is derived from the rows of an import, for imports that lack it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection

from glyphd.store.migrations.postgresql.parking import (
    forget,
    is_parked,
    park,
    park_table,
    return_rows,
    temporary,
    untouched,
)
from glyphd.store.migrations.rules import FACET_LIMIT, FACETS, IDENTITY, PREFIX, listing_key

_FINGERPRINTS = "fingerprints"
_CHUNK = 20_000
_FINITE = "abs({}) <= 1.7976931348623157e308"  # NaN is above everything


def park_derived(connection: Connection, *tables: str) -> None:
    """Take derived tables out of the schema; remember what they were derived from."""
    if not is_parked(connection, _FINGERPRINTS):
        park(connection, _FINGERPRINTS, _fingerprints())
    for table in tables:
        park_table(connection, table)


def fill_sightings(connection: Connection) -> None:
    """Derive sightings, their keys in Python. A row whose price or score is no finite number is nobody's sighting."""
    columns = "(import_id, canonical_model, listing_key, import_index, price, score)"
    with _to_derive(connection, "sightings") as changed, temporary(connection, "_glyphd_sightings", _UNSORTED) as found:
        driver: Any = connection.connection.driver_connection
        for rows in _rows_of(connection, changed):
            with driver.cursor() as cursor, cursor.copy(f"COPY {found} {columns} FROM STDIN") as copy:
                for import_id, import_index, price, score, *identity in rows:
                    key = listing_key(*identity)
                    copy.write_row((import_id, identity[0], key, import_index, price, score))
        connection.exec_driver_sql(f"INSERT INTO sightings {columns} SELECT * FROM {found} ORDER BY 1, 2, 3, 4")


_UNSORTED = (
    "SELECT import_id, canonical_model, 0::bigint AS listing_key, import_index, price, score FROM scored_listings"
    " WHERE false"
)


def _rows_of(connection: Connection, changed: str) -> Iterator[list[Any]]:
    """Yield the rows of imports in key order, some at a time, without holding a cursor."""
    finite = f"{_FINITE.format('price')} AND {_FINITE.format('score')}"
    query = (
        f"SELECT import_id, import_index, price, score, {', '.join(IDENTITY)} FROM scored_listings WHERE"
        f" import_id = %s AND import_index > %s AND {finite} ORDER BY import_index LIMIT {_CHUNK}"
    )
    for import_id in connection.exec_driver_sql(f"SELECT import_id FROM {changed} ORDER BY 1").scalars().all():
        last = 0
        while rows := list(connection.exec_driver_sql(query, (import_id, last))):
            yield rows
            last = rows[-1][1]


def fill_statistics(connection: Connection) -> None:
    """Derive the figures per model, the facets, and the ranges in the ledger."""
    with (
        untouched(connection, ["import_batches"]),
        _to_derive(connection, "import_model_stats", "import_facets") as changed,
    ):
        imports = f"(SELECT import_id FROM {changed})"
        connection.exec_driver_sql(_model_figures(imports))
        connection.exec_driver_sql(f"UPDATE import_batches SET uncounted_facets = '[]' WHERE import_id IN {imports}")
        for field in FACETS:
            _count(connection, field, imports)
        ranges = [f"{bound}_{figure}" for figure in ("price", "score") for bound in ("min", "max")]
        sums = ", ".join(f"{name[:3]}(m.{name}) AS {name}" for name in ranges)
        connection.exec_driver_sql(
            f"UPDATE import_batches b SET {', '.join(f'{name} = s.{name}' for name in ranges)}"
            f" FROM (SELECT c.import_id, {sums} FROM {changed} c"
            " LEFT JOIN import_model_stats m ON m.import_id = c.import_id GROUP BY 1) s WHERE s.import_id = b.import_id"
        )
    forget(connection, _FINGERPRINTS)


@contextmanager
def _to_derive(connection: Connection, *tables: str) -> Iterator[str]:
    """Return what is parked and still holds; yield a table of the imports it does not hold for."""
    with temporary(connection, "_glyphd_changed", _changed(connection)) as changed:
        for table in tables:
            still = "p.import_id IN (SELECT import_id FROM import_batches)"
            still += f" AND p.import_id NOT IN (SELECT import_id FROM {changed})"
            return_rows(connection, table, f"WHERE {still} ORDER BY 1, 2, 3")
        yield changed


def _fingerprints() -> str:
    """Return SQL for the fingerprints (import_id, digest) of all imports that have rows."""
    row = f"ROW(import_index, price, score, source_type, {', '.join(IDENTITY)})::text"
    return (
        f"SELECT import_id, md5(string_agg(md5({row}), '' ORDER BY import_index)) AS digest FROM scored_listings"
        " GROUP BY import_id"
    )


def _changed(connection: Connection) -> str:
    """Return SQL for the imports whose rows are not, or not known to be, those that were remembered."""
    if not is_parked(connection, _FINGERPRINTS):
        return "SELECT DISTINCT import_id FROM scored_listings"
    return (
        f"SELECT import_id FROM ({_fingerprints()}) now FULL JOIN {PREFIX}{_FINGERPRINTS} before USING (import_id)"
        " WHERE now.digest IS DISTINCT FROM before.digest"
    )


def _model_figures(imports: str) -> str:
    percentiles = ", ".join(
        f"percentile_cont({share}) WITHIN GROUP (ORDER BY price)" for share in ("0.25", "0.5", "0.75")
    )
    return (
        "INSERT INTO import_model_stats (import_id, canonical_model, listing_count, min_price, max_price, avg_price,"
        " min_score, max_score, avg_score, p25_price, median_price, p75_price)"
        " SELECT import_id, canonical_model, count(*), min(price), max(price), avg(price), min(score), max(score),"
        f" avg(score), {percentiles} FROM sightings WHERE import_id IN {imports} GROUP BY 1, 2 ORDER BY 1, 2"
    )


def _count(connection: Connection, field: str, imports: str) -> None:
    """Count the values of a facet; an import with too many of them is not counted and says so."""
    query = (
        f"SELECT import_id, {field} AS value, count(*) AS listing_count FROM scored_listings"
        f" WHERE {field} IS NOT NULL AND import_id IN {imports} GROUP BY 1, 2"
    )
    with temporary(connection, "_glyphd_counts", query) as counts:
        many = f"(SELECT import_id FROM {counts} GROUP BY 1 HAVING count(*) > {FACET_LIMIT})"
        connection.exec_driver_sql(
            "INSERT INTO import_facets (import_id, field, value, listing_count)"
            f" SELECT import_id, '{field}', value, listing_count FROM {counts}"
            f" WHERE import_id NOT IN {many} ORDER BY 1, 3"
        )
        connection.exec_driver_sql(
            "UPDATE import_batches SET uncounted_facets = replace(replace(uncounted_facets::text, ']',"
            f" ',\"{field}\"]'), '[,', '[')::json WHERE import_id IN {many}"
        )
