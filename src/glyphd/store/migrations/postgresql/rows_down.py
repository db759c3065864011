"""Revision 0003 on PostgreSQL, down: the row tables take their old shape; rows that an old reader must not see are
parked.
"""

from sqlalchemy import Connection

from glyphd.store.migrations.postgresql.parking import keep_sequence, park_what_there_is, temporary, untouched
from glyphd.store.migrations.postgresql.rows import KEYED, TABLES, refer_to_import
from glyphd.store.migrations.rules import ROW_TABLES, SYNTHETIC, VISIBLE


def detach(connection: Connection) -> None:
    """Take the numbers and the hidden rows out of the tables and remember both."""
    for table in TABLES:
        keep_sequence(connection, table)
        connection.exec_driver_sql(f"ALTER TABLE {table} DROP CONSTRAINT {table}_import_id_fkey")
    for table in ROW_TABLES:
        drop = f"DROP INDEX uq_{table}_import_index"
        if table != KEYED:
            drop = f"ALTER TABLE {table} DROP CONSTRAINT uq_{table}_import_index"
        connection.exec_driver_sql(drop)
        connection.exec_driver_sql(f"ALTER TABLE {table} ALTER COLUMN import_id DROP NOT NULL")
    with untouched(connection, TABLES), temporary(connection, "_glyphd_visible", VISIBLE) as visible:
        for table in reversed(ROW_TABLES):
            hidden = f"o.import_id NOT IN (SELECT import_id FROM {visible})"
            if table == "quantized_listings":
                hidden += f" OR o.scored_listing_id IN (SELECT id FROM {KEYED} o WHERE {hidden})"
            _take_out(connection, table, hidden)
        _let_models_forget(connection, visible)
    for table in TABLES:
        refer_to_import(connection, table, "SET NULL")


def _take_out(connection: Connection, table: str, hidden: str) -> None:
    park_what_there_is(connection, table, f"SELECT * FROM {table} o WHERE {hidden}")
    park_what_there_is(
        connection,
        f"{table}_index",
        f"SELECT id, import_id, import_index FROM {table} o WHERE NOT ({hidden}) ORDER BY id",
    )
    connection.exec_driver_sql(f"DELETE FROM {table} o WHERE {hidden}")
    connection.exec_driver_sql(f"UPDATE {table} SET import_id = NULL WHERE import_id = '{SYNTHETIC}'")
    connection.exec_driver_sql(f"ALTER TABLE {table} DROP COLUMN import_index")


def _let_models_forget(connection: Connection, visible: str) -> None:
    """Let models forget an import that the old shape has no place for."""
    hidden = f"(import_id NOT IN (SELECT import_id FROM {visible}) OR import_id = '{SYNTHETIC}')"
    park_what_there_is(connection, "models_import", f"SELECT id, model, import_id FROM models WHERE {hidden}")
    connection.exec_driver_sql(f"UPDATE models SET import_id = NULL WHERE {hidden}")
