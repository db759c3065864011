"""Revision 0003, down: the row tables take their old shape; rows that an old reader must not see are parked."""

from sqlalchemy import Connection

from glyphd.store.migrations.rules import PREFIX, ROW_TABLES, SYNTHETIC, VISIBLE
from glyphd.store.migrations.sqlite import implied_models
from glyphd.store.migrations.sqlite.imports_found import temporary
from glyphd.store.migrations.sqlite.parking import forget, is_parked, park, take_texts
from glyphd.store.migrations.sqlite.rebuilding import has_columns, rebuild, triggers_set_aside

_GOING = ("import_id", "import_index")


def detach(connection: Connection) -> None:
    """Give the tables their old shape back, verbatim, with the values they had, and without the hidden rows."""
    texts = take_texts(connection, "0003")
    with triggers_set_aside(connection), temporary(connection, "_glyphd_visible", VISIBLE) as visible:
        implied_models.remove(connection)
        for table in reversed(ROW_TABLES):
            hidden = f"o.import_id NOT IN (SELECT import_id FROM {visible})"
            if table == "quantized_listings":
                hidden += f" OR o.scored_listing_id IN (SELECT id FROM scored_listings o WHERE {hidden})"
            _park(connection, table, hidden)
            _restore(connection, table, texts[table], hidden)
        _restore_models(connection, texts["models"], visible)


def _park(connection: Connection, table: str, hidden: str) -> None:
    for name, query in (
        (table, f"SELECT * FROM {table} o WHERE {hidden}"),
        (f"{table}_index", f"SELECT id, import_id, import_index FROM {table} o WHERE NOT ({hidden}) ORDER BY id"),
    ):
        if not connection.exec_driver_sql(f"SELECT count(*) FROM {park(connection, name, query)}").scalar():
            forget(connection, name)


def _restore(connection: Connection, table: str, sql: str, hidden: str) -> None:
    values, join = {"import_id": f"NULLIF(o.import_id, '{SYNTHETIC}')"}, ""
    found = f"{PREFIX}{table}_found"
    if is_parked(connection, f"{table}_found"):
        join = "LEFT JOIN temp._glyphd_found f ON f.id = o.id AND f._now = o.import_id"
        columns = _GOING if has_columns(connection, found, "import_index") else _GOING[:1]
        kept = {"import_index": "o.import_index"} | values
        values |= {name: f"CASE WHEN f.id IS NULL THEN {kept[name]} ELSE f.{name} END" for name in columns}
    else:
        found = "(SELECT NULL AS id, NULL AS _now)"
    with temporary(connection, "_glyphd_found", f"SELECT * FROM {found}"):
        connection.exec_driver_sql("CREATE INDEX temp._glyphd_found_id ON _glyphd_found (id)")
        rebuild(connection, table, sql, values, rows=f"{join} WHERE NOT ({hidden})", going=_GOING)
    forget(connection, f"{table}_found")


def _restore_models(connection: Connection, sql: str, visible: str) -> None:
    """Let models forget an import that the old shape has no place for, unless they were found so."""
    hidden = (
        f"(o.import_id NOT IN (SELECT import_id FROM {visible})"
        f" OR o.import_id IN (SELECT import_id FROM {PREFIX}implied_imports))"
    )
    import_id, join = "o.import_id", ""
    if is_parked(connection, "models_found"):
        join = f"LEFT JOIN {PREFIX}models_found f ON f.id = o.id AND COALESCE(o.import_id, f._now) = f._now"
        hidden = f"(f.id IS NULL AND {hidden})"
        import_id = "CASE WHEN f.id IS NULL THEN o.import_id ELSE f.import_id END"
    query = f"SELECT o.id, o.model, o.import_id FROM models o {join} WHERE {hidden}"
    if not connection.exec_driver_sql(f"SELECT count(*) FROM {park(connection, 'models_import', query)}").scalar():
        forget(connection, "models_import")
    values = {"import_id": f"CASE WHEN {hidden} THEN NULL ELSE {import_id} END"}
    rebuild(connection, "models", sql, values, rows=join, going=_GOING[:1])
    forget(connection, "models_found")
