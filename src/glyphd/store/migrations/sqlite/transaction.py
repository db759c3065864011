"""One transaction around all revisions: a migration that fails leaves the file as it was.

Measured: with pysqlite's own transactions a failed migration left half its tables behind, and with `foreign_keys` on
the rebuild of a parent table cascade-deleted its children. So everything is done by hand, on a connection of our own.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from sqlalchemy.pool import StaticPool

from glyphd.store.migrations.recording import recorder
from glyphd.store.migrations.sqlite import references

_WAIT_MS = 600_000  # for another migrator: 1M rows take seconds, not minutes

_DURING = {
    "foreign_keys": 0,  # else a rebuilt parent deletes its children
    "legacy_alter_table": 1,  # else a rename rewrites references in other tables, triggers and views
    "ignore_check_constraints": 1,  # a row that a found CHECK does not like is still a row
    "busy_timeout": _WAIT_MS,
    "cache_size": -32_000,  # KiB; every sort under way takes as much
    "temp_store": 1,  # file: sorting a million rows must not take memory
}


@contextmanager
def exclusive_transaction(engine: sa.Engine, *, keep: bool) -> Iterator[tuple[sa.Connection, list[str]]]:
    """Yield a connection inside one write transaction, and the list of statements that change something.

    Committed on leaving if ``keep``, else rolled back. Waits for its turn. Raises MigrationFailed if rows would be left
    that refer to nothing and did not before.
    """
    borrowed = engine.raw_connection()
    driver: Any = borrowed.driver_connection
    level, driver.isolation_level = driver.isolation_level, None
    pragmas = {name: driver.execute(f"PRAGMA {name}").fetchone()[0] for name in _DURING}
    _set(driver, _DURING)
    own = sa.create_engine("sqlite://", creator=lambda: driver, poolclass=StaticPool, pool_reset_on_return=None)
    statements: list[str] = []
    sa.event.listen(own, "before_cursor_execute", recorder(statements))
    try:
        with own.connect() as connection, _begun(connection, keep=keep):
            yield connection, statements
    finally:
        _set(driver, pragmas)
        driver.isolation_level = level
        borrowed.close()


def _set(driver: Any, pragmas: dict[str, Any]) -> None:
    for name, value in pragmas.items():
        driver.execute(f"PRAGMA {name} = {value}").close()


@contextmanager
def _begun(connection: sa.Connection, *, keep: bool) -> Iterator[None]:
    driver: Any = connection.connection.driver_connection
    connection.exec_driver_sql("BEGIN IMMEDIATE")
    try:
        references.remember_violations(driver)
        yield
        references.refuse_new_violations(driver)
        connection.exec_driver_sql("COMMIT" if keep else "ROLLBACK")
    finally:
        if driver.in_transaction:
            connection.exec_driver_sql("ROLLBACK")
