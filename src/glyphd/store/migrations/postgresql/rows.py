"""Revision 0003 on PostgreSQL, up: every row belongs to an import, under a number of its own there."""

from sqlalchemy import Connection

from glyphd.store.migrations.postgresql.parking import (
    forget,
    is_parked,
    keep_sequence,
    return_rows,
    temporary,
    untouched,
)
from glyphd.store.migrations.rules import PREFIX, ROW_TABLES, SYNTHETIC

TABLES = (*ROW_TABLES, "models")
KEYED = "scored_listings"
"""The table whose primary key will be (import_id, import_index): see layout.py."""


def attach(connection: Connection) -> None:
    """Attach the rows of all tables to their imports, and number them."""
    with untouched(connection, TABLES):
        for table in TABLES:
            connection.exec_driver_sql(f"ALTER TABLE {table} DROP CONSTRAINT {table}_import_id_fkey")
        for table in ROW_TABLES:
            connection.exec_driver_sql(f"ALTER TABLE {table} ADD COLUMN import_index INTEGER")
            _number(connection, table)
        _return_hidden_rows(connection)
        _return_imports_of_models(connection)
    for table in ROW_TABLES:
        connection.exec_driver_sql(
            f"ALTER TABLE {table} ALTER COLUMN import_id SET NOT NULL, ALTER COLUMN import_index SET NOT NULL"
        )
        connection.exec_driver_sql(unique(table))
        keep_sequence(connection, table)
    for table in TABLES:
        refer_to_import(connection, table, "RESTRICT")


def unique(table: str) -> str:
    """Return the statement that makes import and number unique: by an index alone where it becomes a primary key."""
    name, columns = f"uq_{table}_import_index", "(import_id, import_index)"
    if table == KEYED:
        return f"CREATE UNIQUE INDEX {name} ON {table} {columns}"
    return f"ALTER TABLE {table} ADD CONSTRAINT {name} UNIQUE {columns}"


def refer_to_import(connection: Connection, table: str, on_delete: str) -> None:
    """Add the reference to imports; where rows were never checked one by one, those that are there stop nothing."""
    unchecked = " NOT VALID" if table == KEYED else ""
    connection.exec_driver_sql(
        f"ALTER TABLE {table} ADD CONSTRAINT {table}_import_id_fkey FOREIGN KEY (import_id)"
        f" REFERENCES import_batches (import_id) ON DELETE {on_delete}{unchecked}"
    )


def _number(connection: Connection, table: str) -> None:
    """Give every row its import and its number.

    A number that it had on the way down stays; the others follow, by id, after the highest of their import that is in
    use or ever was.
    """
    kept, join = "NULL::integer", ""
    if is_parked(connection, f"{table}_index"):
        kept, owner = "m.import_index", f"COALESCE(o.import_id, '{SYNTHETIC}')"
        join = f"LEFT JOIN {PREFIX}{table}_index m ON m.id = o.id AND m.import_id = {owner}"
    query = (
        "SELECT id, import_id, COALESCE(kept, COALESCE(top, 0)"
        " + row_number() OVER (PARTITION BY import_id, kept IS NULL ORDER BY id)) AS import_index"
        f" FROM (SELECT o.id, COALESCE(o.import_id, '{SYNTHETIC}') AS import_id, {kept} AS kept FROM {table} o {join})"
        f" found LEFT JOIN ({_highest_ever(connection, table)}) highest USING (import_id)"
    )
    with temporary(connection, "_glyphd_numbers", query) as numbers:
        connection.exec_driver_sql(
            f"UPDATE {table} o SET import_id = n.import_id, import_index = n.import_index FROM {numbers} n"
            " WHERE n.id = o.id"
        )
    forget(connection, f"{table}_index")


def _highest_ever(connection: Connection, table: str) -> str:
    """Return SQL for the highest number given out in each import (import_id, top); rejections share the numbers."""
    sources = [f"{table}_index", *(["import_rejections"] if table == KEYED else [])]
    known = [f"SELECT import_id, import_index FROM {PREFIX}{name}" for name in sources if is_parked(connection, name)]
    if not known:
        return "SELECT NULL AS import_id, 0 AS top WHERE false"
    return f"SELECT import_id, max(import_index) AS top FROM ({' UNION ALL '.join(known)}) known GROUP BY 1"


def _return_hidden_rows(connection: Connection) -> None:
    """Bring back the rows of imports that are not visible; an id that was used again makes way for a new one."""
    for table in ROW_TABLES:
        if not is_parked(connection, table):
            continue
        parked = PREFIX + table
        used = (
            f"SELECT p.id, p.import_id, (SELECT max(id) FROM (SELECT id FROM {parked} UNION ALL SELECT id FROM {table})"
            f" every) + row_number() OVER (ORDER BY p.id) AS new FROM {parked} p WHERE p.id IN (SELECT id FROM {table})"
        )
        with temporary(connection, "_glyphd_moved", used) as moved:
            if table == KEYED and is_parked(connection, "quantized_listings"):
                connection.exec_driver_sql(
                    f"UPDATE {PREFIX}quantized_listings q SET scored_listing_id = m.new FROM {moved} m"
                    " WHERE m.id = q.scored_listing_id AND m.import_id = q.import_id"
                )
            connection.exec_driver_sql(f"UPDATE {parked} p SET id = m.new FROM {moved} m WHERE m.id = p.id")
        whole = "WHERE p.scored_listing_id IN (SELECT id FROM scored_listings)"
        return_rows(connection, table, whole if table == "quantized_listings" else "")


def _return_imports_of_models(connection: Connection) -> None:
    if is_parked(connection, "models_import"):
        connection.exec_driver_sql(
            f"UPDATE models o SET import_id = m.import_id FROM {PREFIX}models_import m WHERE m.model = o.model"
            " AND o.import_id IS NULL AND m.import_id IN (SELECT import_id FROM import_batches)"
        )
        forget(connection, "models_import")
