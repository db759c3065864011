"""Whether the rows of an import are still those its derived figures were made of."""

from hashlib import blake2b
from itertools import groupby
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection

from glyphd.store.migrations.rules import PREFIX
from glyphd.store.migrations.sqlite import parking

_NAME = "fingerprints"
_COLUMNS = (
    *("import_id", "import_index", "canonical_model", "price", "score", "source_url", "seller", "region"),
    *("condition", "source_type"),
)


def remember(connection: Connection) -> None:
    """Write down the fingerprints of all imports that have rows, unless that is done."""
    if not parking.is_parked(connection, _NAME):
        with_digest = "SELECT '' AS import_id, '' AS digest WHERE 0"
        _write(connection, parking.park(connection, _NAME, with_digest))


def changed(connection: Connection) -> str:
    """Return SQL for the imports whose rows are not, or not known to be, those that were remembered."""
    if not parking.is_parked(connection, _NAME):
        return "SELECT DISTINCT import_id FROM scored_listings"
    connection.exec_driver_sql("DROP TABLE IF EXISTS temp._glyphd_fingerprints")
    connection.exec_driver_sql("CREATE TEMP TABLE _glyphd_fingerprints (import_id TEXT, digest TEXT)")
    now = "temp._glyphd_fingerprints"
    _write(connection, now)
    before = f"{PREFIX}{_NAME}"
    return (
        f"SELECT import_id FROM (SELECT * FROM {now} EXCEPT SELECT * FROM {before})"
        f" UNION SELECT import_id FROM (SELECT * FROM {before} EXCEPT SELECT * FROM {now})"
    )


def forget(connection: Connection) -> None:
    """Forget what was remembered, when everything derived has returned."""
    parking.forget(connection, _NAME)
    connection.exec_driver_sql("DROP TABLE IF EXISTS temp._glyphd_fingerprints")


def _write(connection: Connection, table: str) -> None:
    driver: Any = connection.connection.driver_connection
    query = f"SELECT {', '.join(_COLUMNS)} FROM scored_listings ORDER BY import_id, import_index"
    factory, driver.text_factory = driver.text_factory, bytes  # text in the field need not be UTF-8
    try:
        for import_id, rows in groupby(driver.execute(query), key=itemgetter(0)):
            digest = blake2b(digest_size=16)
            for row in rows:
                digest.update(repr(row).encode())
            driver.execute(f"INSERT INTO {table} VALUES (CAST(? AS TEXT), ?)", (import_id, digest.hexdigest()))
    finally:
        driver.text_factory = factory
