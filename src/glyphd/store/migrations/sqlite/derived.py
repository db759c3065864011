"""Revisions 0005 and 0006: what is derived from the rows of an import, once, for imports that have not got it yet.

Done by SQLite in its own sorter: a million rows take seconds, and no more memory than its cache.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection

from glyphd.store.migrations.rules import FACET_LIMIT, FACETS, IDENTITY, listing_key
from glyphd.store.migrations.sqlite import fingerprints
from glyphd.store.migrations.sqlite.imports_found import temporary
from glyphd.store.migrations.sqlite.parking import park_table, return_rows
from glyphd.store.migrations.sqlite.rebuilding import triggers_set_aside


def park(connection: Connection, *tables: str) -> None:
    """Take derived tables out of the schema; remember what they were derived from."""
    fingerprints.remember(connection)
    for table in tables:
        park_table(connection, table)


def fill_sightings(connection: Connection) -> None:
    """Derive sightings. A row whose price or score is not a finite number (a legacy `Quote`) is nobody's sighting."""
    driver: Any = connection.connection.driver_connection
    driver.create_function("glyphd_listing_key", len(IDENTITY), _listing_key, deterministic=True)
    with _to_derive(connection, "sightings") as imports:
        finite = " AND ".join(
            f"typeof({name}) IN ('integer', 'real') AND abs({name}) <= 1.7976931348623157e308"
            for name in ("price", "score")
        )
        identity = ", ".join(f"CAST({name} AS BLOB)" for name in IDENTITY)
        connection.exec_driver_sql(
            "INSERT INTO sightings (import_id, canonical_model, listing_key, import_index, price, score)"
            f" SELECT import_id, canonical_model, glyphd_listing_key({identity}), import_index, price, score"
            f" FROM scored_listings WHERE {finite} AND canonical_model NOT NULL AND import_id IN {imports}"
            " ORDER BY 1, 2, 3, 4"
        )


def fill_statistics(connection: Connection) -> None:
    """Derive the figures per model, the facets, and the ranges in the ledger."""
    with triggers_set_aside(connection), _to_derive(connection, "import_model_stats", "import_facets") as imports:
        connection.exec_driver_sql(_model_figures(imports))
        connection.exec_driver_sql(f"UPDATE import_batches SET uncounted_facets = '[]' WHERE import_id IN {imports}")
        for field in FACETS:
            _count(connection, field, imports)
        ranges = [f"{bound}_{figure}" for figure in ("price", "score") for bound in ("min", "max")]
        sums = ", ".join(f"{name[:3]}({name}) AS {name}" for name in ranges)
        connection.exec_driver_sql(
            f"UPDATE import_batches SET {', '.join(f'{name} = s.{name}' for name in ranges)} FROM"
            f" (SELECT i.import_id, {sums} FROM (SELECT import_id FROM import_batches WHERE import_id IN {imports}) i"
            " LEFT JOIN import_model_stats m ON m.import_id = i.import_id GROUP BY i.import_id) s"
            " WHERE s.import_id = import_batches.import_id"
        )
    fingerprints.forget(connection)


@contextmanager
def _to_derive(connection: Connection, *tables: str) -> Iterator[str]:
    """Return what is parked and still holds; yield, as SQL, the set of imports it does not hold for."""
    with temporary(connection, "_glyphd_changed", fingerprints.changed(connection)) as changed:
        imports = f"(SELECT import_id FROM {changed})"
        for table in tables:
            still = f"p.import_id IN (SELECT import_id FROM import_batches) AND p.import_id NOT IN {imports}"
            return_rows(connection, table, f"WHERE {still} ORDER BY 1, 2, 3")
        yield imports


def _listing_key(*values: bytes | None) -> int:
    """Return the listing_key of a row in the field, whose text need not be UTF-8."""
    return listing_key(*(None if value is None else value.decode(errors="replace") for value in values))


def _model_figures(imports: str) -> str:
    """Return the SQL of the figures; percentiles are exact, as `percentile_cont` has them."""
    percentiles = ", ".join(
        f"{_percentile(share)} AS {name}_price" for name, share in (("p25", 0.25), ("median", 0.5), ("p75", 0.75))
    )
    return (
        "INSERT INTO import_model_stats (import_id, canonical_model, listing_count, min_price, max_price, avg_price,"
        " min_score, max_score, avg_score, p25_price, median_price, p75_price)"
        " SELECT import_id, canonical_model, count(*), min(price), max(price), avg(price), min(score), max(score),"
        f" avg(score), {percentiles} FROM (SELECT *,"
        " ROW_NUMBER() OVER (PARTITION BY import_id, canonical_model ORDER BY price) - 1 AS place,"
        " count(*) OVER (PARTITION BY import_id, canonical_model) - 1 AS last"
        f" FROM sightings WHERE import_id IN {imports}) GROUP BY 1, 2 ORDER BY 1, 2"
    )


def _percentile(share: float) -> str:
    below = f"CAST(last * {share} AS INTEGER)"
    low = f"max(CASE WHEN place = {below} THEN price END)"
    high = f"max(CASE WHEN place = min({below} + 1, last) THEN price END)"
    return f"{low} + ({high} - {low}) * (max(last) * {share} - CAST(max(last) * {share} AS INTEGER))"


def _count(connection: Connection, field: str, imports: str) -> None:
    """Count the values of a facet; an import with too many of them is not counted and says so."""
    query = (
        f"SELECT import_id, {field} AS value, count(*) AS listing_count FROM scored_listings"
        f" WHERE {field} NOT NULL AND import_id IN {imports} GROUP BY 1, 2"
    )
    with temporary(connection, "_glyphd_counts", query) as counts:
        many = f"(SELECT import_id FROM {counts} GROUP BY 1 HAVING count(*) > {FACET_LIMIT})"
        connection.exec_driver_sql(
            "INSERT INTO import_facets (import_id, field, value, listing_count)"
            f" SELECT import_id, '{field}', value, listing_count FROM {counts}"
            f" WHERE import_id NOT IN {many} ORDER BY 1, 3"
        )
        connection.exec_driver_sql(
            "UPDATE import_batches SET uncounted_facets = replace(replace(uncounted_facets, ']',"
            f" ',\"{field}\"]'), '[,', '[') WHERE import_id IN {many}"
        )
