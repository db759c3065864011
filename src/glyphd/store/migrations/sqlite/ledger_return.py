"""Revision 0002, up again: imports that were parked on the way down return, next to what an old tool did meanwhile.

An import that an old tool deleted, rows and all, returns as `purged`: who did what to it is still on record. One that
was not visible and whose id an old tool used again returns as `<id>~parked`: rows taken out never reappear in it.
"""

from collections.abc import Collection

from sqlalchemy import Connection

from glyphd.store.migrations.rules import PREFIX
from glyphd.store.migrations.sqlite.ddl import quoted
from glyphd.store.migrations.sqlite.parking import forget, is_parked
from glyphd.store.migrations.sqlite.rebuilding import column_names, has_columns, table_names

_PARKED = f"{PREFIX}import_batches"
_IMPLIED = f"{PREFIX}implied_imports"


def return_imports(connection: Connection, ours: Collection[str], spoken_of: str) -> None:
    """Return what `ledger_down.reduce` parked, ``ours`` being the columns the old shape does not have.

    What is new since stays in `temp._glyphd_new`; what only has to be numbered again is not `fresh` there.
    """
    if not is_parked(connection, "import_batches"):
        return
    _step_aside(connection, spoken_of)
    _rejoin(connection, ours)
    _note_implied(connection, spoken_of)
    _reinsert(connection, spoken_of)
    _let_orphans_stand(connection)
    _recount(connection, spoken_of)
    forget(connection, "import_batches")


def _step_aside(connection: Connection, spoken_of: str) -> None:
    used = f"SELECT import_id FROM import_batches UNION SELECT import_id FROM {spoken_of}"
    again = f"SELECT import_id FROM {_PARKED} WHERE NOT _visible AND import_id IN ({used})"
    for import_id in connection.exec_driver_sql(again).scalars().all():
        renamed = import_id + "~parked"
        while connection.exec_driver_sql(f"SELECT 1 FROM {_PARKED} WHERE import_id = ?", (renamed,)).first():
            renamed += "~parked"
        for table in sorted(name for name in table_names(connection) if name.startswith(PREFIX) and name != _IMPLIED):
            for column in ("import_id", "parent_import_id"):
                if has_columns(connection, table, column):
                    connection.exec_driver_sql(
                        f"UPDATE {table} SET {column} = ? WHERE {column} = ?", (renamed, import_id)
                    )


def _rejoin(connection: Connection, ours: Collection[str]) -> None:
    """Give imports that were there all the time their figures back; what an old tool wrote in its own columns stays."""
    same = f"FROM {_PARKED} p WHERE p.import_id = import_batches.import_id"
    connection.exec_driver_sql(f"UPDATE import_batches SET {', '.join(f'{name} = p.{name}' for name in ours)} {same}")
    moved = f"SELECT 1 {same} AND p.source IS NOT import_batches.source AND p.kind = 'batch'"
    connection.exec_driver_sql(f"UPDATE import_batches SET source_version = NULL WHERE EXISTS ({moved})")
    parked = f"SELECT import_id FROM {_PARKED}"
    connection.exec_driver_sql(f"UPDATE temp._glyphd_new SET fresh = 0 WHERE import_id IN ({parked})")
    connection.exec_driver_sql(
        "DELETE FROM temp._glyphd_new WHERE NOT fresh AND NOT EXISTS (SELECT 1 FROM import_batches WHERE"
        f" import_batches.import_id = _glyphd_new.import_id AND EXISTS ({moved}))"
    )


def _note_implied(connection: Connection, spoken_of: str) -> None:
    """Write down anew which imports are not on record in the old shape though rows speak of them."""
    connection.exec_driver_sql(f"DELETE FROM {_IMPLIED} WHERE import_id IN (SELECT import_id FROM import_batches)")
    connection.exec_driver_sql(
        f"INSERT INTO {_IMPLIED} SELECT import_id FROM {_PARKED} WHERE _kept AND import_id IN (SELECT import_id FROM"
        f" {spoken_of}) AND import_id NOT IN (SELECT import_id FROM import_batches)"
    )


def _reinsert(connection: Connection, spoken_of: str) -> None:
    here = {name.lower() for name in column_names(connection, "import_batches")}
    names = [name for name in column_names(connection, _PARKED) if name.lower() in here - {"id"}]
    deleted = f"p._visible AND p.import_id NOT IN (SELECT import_id FROM {spoken_of})"
    gone = {"status": "'purged'", "count": "0"}
    values = [
        f"CASE WHEN {deleted} THEN {gone[name]} ELSE p.{name} END" if name in gone else f"p.{quoted(name)}"
        for name in names
    ]
    connection.exec_driver_sql(
        f"INSERT INTO import_batches (id, {', '.join(map(quoted, names))})"
        " SELECT CASE WHEN p.id IN (SELECT id FROM import_batches) THEN NULL ELSE p.id END,"
        f" {', '.join(values)} FROM {_PARKED} p WHERE p.import_id NOT IN (SELECT import_id FROM import_batches)"
        " ORDER BY p.id IN (SELECT id FROM import_batches), p.id"
    )


def _let_orphans_stand(connection: Connection) -> None:
    """Make a replay or amendment whose batch an old tool deleted a batch of its own: its rows were left to be seen."""
    orphans = (
        f"SELECT c.import_id FROM {_PARKED} c JOIN {_PARKED} p ON p.import_id = c.parent_import_id"
        " JOIN import_batches b ON b.import_id = p.import_id"
        " WHERE c._visible AND p._visible AND b.status = 'purged'"
    )
    connection.exec_driver_sql(f"INSERT INTO temp._glyphd_new SELECT import_id, 0 FROM ({orphans})")
    connection.exec_driver_sql(
        "UPDATE import_batches SET kind = 'batch', parent_import_id = NULL, source_version = NULL"
        f" WHERE status = 'published' AND import_id IN ({orphans})"
    )


def _recount(connection: Connection, spoken_of: str) -> None:
    """Count the rows of imports in which an old tool added or deleted some: `received = count + rejected` again."""
    scored = f"COALESCE((SELECT scored FROM {spoken_of} s WHERE s.import_id = import_batches.import_id), 0)"
    connection.exec_driver_sql(
        f"UPDATE import_batches SET count = {scored}, received = {scored} + p.rejected FROM {_PARKED} p"
        f" WHERE p.import_id = import_batches.import_id AND p._visible AND p._scored <> {scored}"
        " AND import_batches.status <> 'purged'"
    )
