"""One transaction around all revisions; DDL takes part in it.

Begun and ended by hand, and with nothing left in the session, so that it works on a connection of any isolation level
and through pgbouncer in transaction mode.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from psycopg.pq import TransactionStatus

from glyphd.store.migrations import baseline
from glyphd.store.migrations.recording import recorder

_TURN = 0x676C79706864  # "glyphd" in ASCII; an advisory lock belongs to one database

_LATER = (
    *("import_rejections", "import_events", "artifacts", "import_artifacts"),
    *("sightings", "import_model_stats", "import_facets", "idempotency_keys"),
)
"""The tables that revisions after the baseline make."""

_BEGIN = (
    "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0;"
    " SET LOCAL idle_in_transaction_session_timeout = 0"
)


@contextmanager
def exclusive_transaction(engine: sa.Engine, *, keep: bool) -> Iterator[tuple[sa.Connection, list[str]]]:
    """Yield a connection inside one transaction, and the list of statements that change something.

    Committed on leaving if ``keep``, else rolled back. Migrators take turns: who comes second sees, once it is let in,
    what the first has committed (READ COMMITTED, whatever the role's default is).
    """
    statements: list[str] = []
    own = engine.execution_options(isolation_level="AUTOCOMMIT")
    sa.event.listen(own, "before_cursor_execute", recorder(statements))
    with own.connect() as connection:
        connection.exec_driver_sql(_BEGIN)
        try:
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_TURN})")
            yield connection, statements
            connection.exec_driver_sql("COMMIT" if keep else "ROLLBACK")
        finally:
            if _is_open(connection):
                connection.exec_driver_sql("ROLLBACK")


def shut_out(connection: sa.Connection) -> None:
    """Lock all tables at once, before anything is done that depends on what they hold.

    Whoever reads or writes holds locks of his own for a moment; when each was waited for in the middle of the work, a
    reader who needs two tables and a migration could wait for each other.
    """
    here = set(sa.inspect(connection).get_table_names())
    names = sorted(here & {*baseline.metadata.tables, *_LATER})
    if names:
        connection.exec_driver_sql(f"LOCK TABLE {', '.join(names)} IN ACCESS EXCLUSIVE MODE")


def _is_open(connection: sa.Connection) -> bool:
    if connection.invalidated:
        return False
    driver: Any = connection.connection.driver_connection
    status: TransactionStatus = driver.info.transaction_status
    return status in {TransactionStatus.INTRANS, TransactionStatus.INERROR}
