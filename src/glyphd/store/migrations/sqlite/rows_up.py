"""Revision 0003, up: every row belongs to an import, under a number of its own there."""

from contextlib import AbstractContextManager

from sqlalchemy import Connection

from glyphd.store.migrations import baseline
from glyphd.store.migrations.rules import PREFIX, ROW_TABLES
from glyphd.store.migrations.sqlite import implied_models
from glyphd.store.migrations.sqlite.ddl import TableText
from glyphd.store.migrations.sqlite.imports_found import named, owner, temporary
from glyphd.store.migrations.sqlite.parking import forget, is_parked, park, park_texts, return_rows
from glyphd.store.migrations.sqlite.rebuilding import create_text, has_columns, rebuild, refers, triggers_set_aside

_TO_IMPORT = "FOREIGN KEY(import_id) REFERENCES import_batches (import_id) ON DELETE RESTRICT"
_REFERENCES = {
    "scored_listings": ("canonical_model", "models", "model"),
    "listings": ("canonical_model", "models", "model"),
    "quantized_listings": ("scored_listing_id", "scored_listings", "id"),
}


def attach(connection: Connection) -> None:
    """Attach the rows of all tables to their imports, and number them."""
    with triggers_set_aside(connection):
        for table in ROW_TABLES:
            with _numbers(connection, table) as numbers:
                _park_what_is_replaced(connection, table, numbers)
                _rebuild(connection, table, numbers)
        _return_hidden_rows(connection)
        _rebuild_models(connection)
        implied_models.add(connection)


def _numbers(connection: Connection, table: str) -> AbstractContextManager[str]:
    """Make a temporary table (id, import_id, import_index) for all rows.

    A number that was there stays, unless it is none or an earlier row has it; the others follow, by id, after the
    highest of their import that is in use or ever was.
    """
    own = "CASE WHEN typeof(o.import_index) = 'integer' AND o.import_index > 0 THEN o.import_index END"
    kept, join = own if has_columns(connection, table, "import_index") else "NULL", ""
    if is_parked(connection, f"{table}_index"):
        kept = f"COALESCE(m.import_index, {kept})"
        join = f"LEFT JOIN {PREFIX}{table}_index m ON m.id = o.id AND m.import_id = {owner('o.import_id')}"
    highest = _highest_ever(connection, table)
    return temporary(
        connection,
        "_glyphd_numbers",
        (
            _numbered(
                f"SELECT o.id, {owner('o.import_id')} AS import_id, {kept} AS kept FROM {table} o {join}", highest
            )
            if kept != "NULL"
            else f"SELECT id, import_id, {highest} + ROW_NUMBER() OVER (PARTITION BY import_id ORDER BY id)"
            f" FROM (SELECT id, {owner('import_id')} AS import_id FROM {table}) AS first ORDER BY id"
        ),
        "id INTEGER PRIMARY KEY, import_id TEXT, import_index INTEGER",
    )


def _numbered(found: str, highest: str) -> str:
    """Return SQL that gives the rows of a query (id, import_id, kept) their numbers."""
    return (
        f"WITH found AS ({found}), first AS (SELECT id, import_id, CASE WHEN ROW_NUMBER() OVER"
        " (PARTITION BY import_id, kept ORDER BY id) = 1 THEN kept END AS kept FROM found)"
        " SELECT id, import_id, COALESCE(kept, ROW_NUMBER() OVER (PARTITION BY import_id, kept IS NULL ORDER BY id)"
        f" + MAX(COALESCE(MAX(kept) OVER (PARTITION BY import_id), 0), {highest})) FROM first ORDER BY id"
    )


def _highest_ever(connection: Connection, table: str) -> str:
    """Return SQL for the highest number given out in the import of `first`; rejections share the numbers."""
    parked = [f"{table}_index", *(["import_rejections"] if table == "scored_listings" else [])]
    known = [
        f"SELECT import_id, MAX(import_index) AS top FROM {PREFIX}{name} GROUP BY 1"
        for name in parked
        if is_parked(connection, name)
    ]
    if not known:
        return "0"
    park(connection, "highest", f"SELECT import_id, MAX(top) AS top FROM ({' UNION ALL '.join(known)}) GROUP BY 1")
    return f"COALESCE((SELECT top FROM {PREFIX}highest h WHERE h.import_id = first.import_id), 0)"


def _park_what_is_replaced(connection: Connection, table: str, numbers: str) -> None:
    """Keep found values that cannot stay: no import, and numbers that are none or taken."""
    columns, changed = "o.id, n.import_id AS _now, o.import_id", "typeof(o.import_id) <> 'text' OR o.import_id <> _now"
    if has_columns(connection, table, "import_index"):
        columns += ", o.import_index"
        changed += " OR typeof(o.import_index) <> 'integer' OR o.import_index <> n.import_index"
    name = f"{table}_found"
    query = f"SELECT {columns} FROM {table} o JOIN {numbers} n ON n.id = o.id WHERE {changed}"
    if not connection.exec_driver_sql(f"SELECT count(*) FROM {park(connection, name, query)}").scalar():
        forget(connection, name)


def _rebuild(connection: Connection, table: str, numbers: str) -> None:
    sql = create_text(connection, table)
    park_texts(connection, "0003", [(table, sql)])
    constraints = [f"CONSTRAINT uq_{table}_import_index UNIQUE (import_id, import_index)", _TO_IMPORT]
    column, parent, key = _REFERENCES[table]
    if not refers(connection, table, column, parent):
        constraints.append(f"FOREIGN KEY({column}) REFERENCES {parent} ({key}) ON DELETE CASCADE")
    text = TableText.parse(sql).without("FOREIGN", ["import_id"]).without("UNIQUE", ["import_id", "import_index"])
    text = text.tolerant([*baseline.metadata.tables[table].columns.keys(), "import_index"])
    text = text.with_columns({"import_id": "import_id TEXT NOT NULL", "import_index": "import_index INTEGER NOT NULL"})
    values = {"import_id": "n.import_id", "import_index": "n.import_index"}
    rebuild(connection, table, str(text.with_constraints(constraints)), values, rows=f"JOIN {numbers} n ON n.id = o.id")
    for name in ("highest", f"{table}_index"):
        forget(connection, name)


def _return_hidden_rows(connection: Connection) -> None:
    """Bring back the rows of imports that are not visible; an id an old tool used again makes way for a new one."""
    for table in ROW_TABLES:
        if not is_parked(connection, table):
            continue
        parked = PREFIX + table
        used = f"SELECT p.id, (SELECT MAX(id) FROM (SELECT id FROM {parked} UNION ALL SELECT id FROM {table}))"
        used += f" + ROW_NUMBER() OVER (ORDER BY p.id) AS new FROM {parked} p WHERE p.id IN (SELECT id FROM {table})"
        with temporary(connection, "_glyphd_moved", used) as moved:
            new = f"(SELECT new FROM {moved} m WHERE m.id = "
            if table == "scored_listings" and is_parked(connection, "quantized_listings"):
                connection.exec_driver_sql(
                    f"UPDATE {PREFIX}quantized_listings AS q SET scored_listing_id = {new} q.scored_listing_id)"
                    f" WHERE EXISTS (SELECT 1 FROM {moved} m JOIN {parked} p ON p.id = m.id"
                    " WHERE m.id = q.scored_listing_id AND p.import_id = q.import_id)"
                )
            connection.exec_driver_sql(
                f"UPDATE {parked} SET id = {new} {parked}.id) WHERE id IN (SELECT id FROM {moved})"
            )
        whole = "WHERE p.scored_listing_id IN (SELECT id FROM scored_listings)"
        return_rows(connection, table, whole if table == "quantized_listings" else "")


def _rebuild_models(connection: Connection) -> None:
    sql = create_text(connection, "models")
    park_texts(connection, "0003", [("models", sql)])
    implied = f"import_id IN (SELECT import_id FROM {PREFIX}implied_imports)"
    odd = f"import_id NOT NULL AND (typeof(import_id) <> 'text' OR {named('import_id')} IS NULL OR {implied})"
    if connection.exec_driver_sql(f"SELECT 1 FROM models WHERE {odd} LIMIT 1").first():
        park(
            connection, "models_found", f"SELECT id, CAST(import_id AS TEXT) AS _now, import_id FROM models WHERE {odd}"
        )
    text = TableText.parse(sql).without("FOREIGN", ["import_id"]).tolerant(baseline.models.columns.keys())
    text = text.with_columns({"import_id": "import_id TEXT"}).with_constraints([_TO_IMPORT])
    import_id = f"CASE WHEN {named('o.import_id')} NOT NULL THEN CAST(o.import_id AS TEXT) END"
    if is_parked(connection, "models_import"):
        import_id = (
            f"COALESCE({import_id}, (SELECT m.import_id FROM {PREFIX}models_import m WHERE m.model = o.model"
            " AND m.import_id IN (SELECT import_id FROM import_batches)))"
        )
    rebuild(connection, "models", str(text), {"import_id": import_id})
    forget(connection, "models_import")
