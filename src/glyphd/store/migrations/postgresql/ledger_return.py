"""Revision 0002 on PostgreSQL, up again: imports that were parked return, next to what was done by SQL meanwhile.

An import that was deleted, rows and all, returns as `purged`: who did what to it is still on record. One that was not
visible and whose id was used again returns as `<id>~parked`: rows taken out never reappear in it.
"""

from collections.abc import Collection

from sqlalchemy import Connection

from glyphd.store.migrations.postgresql.parking import column_names, forget, is_parked
from glyphd.store.migrations.rules import PREFIX

_PARKED = f"{PREFIX}import_batches"


def return_imports(connection: Connection, ours: Collection[str], spoken_of: str) -> None:
    """Return what `ledger.reduce` parked, ``ours`` being the columns the old shape does not have.

    What is new since stays in `_glyphd_new`; what only has to be numbered again is not `fresh` there.
    """
    if not is_parked(connection, "import_batches"):
        return
    _step_aside(connection, spoken_of)
    _rejoin(connection, ours)
    _reinsert(connection, spoken_of)
    _let_orphans_stand(connection)
    _recount(connection, spoken_of)
    forget(connection, "import_batches")


def _step_aside(connection: Connection, spoken_of: str) -> None:
    used = f"SELECT import_id FROM import_batches UNION SELECT import_id FROM {spoken_of}"
    again = f"SELECT import_id FROM {_PARKED} WHERE NOT _visible AND import_id IN ({used})"
    for import_id in connection.exec_driver_sql(again).scalars().all():
        renamed = import_id + "~parked"
        while connection.exec_driver_sql(f"SELECT 1 FROM {_PARKED} WHERE import_id = %s", (renamed,)).first():
            renamed += "~parked"
        for table, column in _naming_imports(connection):
            connection.exec_driver_sql(f"UPDATE {table} SET {column} = %s WHERE {column} = %s", (renamed, import_id))


def _naming_imports(connection: Connection) -> list[tuple[str, str]]:
    """Return the parked tables and their columns that name an import."""
    query = (
        "SELECT c.relname, a.attname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid WHERE c.relkind = 'r'"
        f" AND starts_with(c.relname, '{PREFIX}') AND a.attname IN ('import_id', 'parent_import_id')"
        " AND pg_table_is_visible(c.oid) ORDER BY 1, 2"
    )
    return [(row[0], row[1]) for row in connection.exec_driver_sql(query)]


def _rejoin(connection: Connection, ours: Collection[str]) -> None:
    """Give imports that were there all the time their figures back; what was written in older columns stays."""
    same = f"FROM {_PARKED} p WHERE p.import_id = b.import_id"
    connection.exec_driver_sql(f"UPDATE import_batches b SET {', '.join(f'{name} = p.{name}' for name in ours)} {same}")
    moved = f"SELECT 1 {same} AND p.source IS DISTINCT FROM b.source AND p.kind = 'batch'"
    connection.exec_driver_sql(f"UPDATE import_batches b SET source_version = NULL WHERE EXISTS ({moved})")
    connection.exec_driver_sql(
        f"UPDATE _glyphd_new SET fresh = false WHERE import_id IN (SELECT import_id FROM {_PARKED})"
    )
    connection.exec_driver_sql(
        "DELETE FROM _glyphd_new n WHERE NOT fresh AND NOT EXISTS (SELECT 1 FROM import_batches b WHERE"
        f" b.import_id = n.import_id AND EXISTS ({moved}))"
    )


def _reinsert(connection: Connection, spoken_of: str) -> None:
    here = set(column_names(connection, "import_batches"))
    names = [name for name in column_names(connection, _PARKED) if name in here - {"id"}]
    deleted = f"p._visible AND p.import_id NOT IN (SELECT import_id FROM {spoken_of})"
    gone = {"status": "'purged'", "count": "0"}
    values = [
        f"CASE WHEN {deleted} THEN {gone[name]} ELSE p.{name} END" if name in gone else f"p.{name}" for name in names
    ]
    taken = "p.id IN (SELECT id FROM import_batches)"
    highest = f"(SELECT max(id) FROM (SELECT id FROM import_batches UNION ALL SELECT id FROM {_PARKED}) every)"
    connection.exec_driver_sql(
        f"INSERT INTO import_batches (id, {', '.join(names)})"
        f" SELECT CASE WHEN {taken} THEN {highest} + row_number() OVER (ORDER BY p.id) ELSE p.id END,"
        f" {', '.join(values)} FROM {_PARKED} p WHERE p.import_id NOT IN (SELECT import_id FROM import_batches)"
        " ORDER BY 1"
    )


def _let_orphans_stand(connection: Connection) -> None:
    """Make a replay or amendment whose batch was deleted a batch of its own: its rows were left to be seen."""
    orphans = (
        f"SELECT c.import_id FROM {_PARKED} c JOIN {_PARKED} p ON p.import_id = c.parent_import_id"
        " JOIN import_batches b ON b.import_id = p.import_id"
        " WHERE c._visible AND p._visible AND b.status = 'purged'"
    )
    connection.exec_driver_sql(f"INSERT INTO _glyphd_new SELECT import_id, false FROM ({orphans}) orphans")
    connection.exec_driver_sql(
        "UPDATE import_batches SET kind = 'batch', parent_import_id = NULL, source_version = NULL"
        f" WHERE status = 'published' AND import_id IN ({orphans})"
    )


def _recount(connection: Connection, spoken_of: str) -> None:
    """Count the rows of imports to which rows were added or that lost some: `received = count + rejected` again."""
    scored = f"COALESCE((SELECT s.scored FROM {spoken_of} s WHERE s.import_id = b.import_id), 0)"
    connection.exec_driver_sql(
        f"UPDATE import_batches b SET count = {scored}, received = {scored} + p.rejected FROM {_PARKED} p"
        f" WHERE p.import_id = b.import_id AND p._visible AND p._scored <> {scored} AND b.status <> 'purged'"
    )
