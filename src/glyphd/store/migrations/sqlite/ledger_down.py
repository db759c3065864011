"""Revision 0002, down: the ledger takes its old shape; what that has no place for is parked."""

from collections.abc import Collection

from sqlalchemy import Connection

from glyphd.store.migrations.rules import PREFIX, VISIBLE
from glyphd.store.migrations.sqlite.ddl import quoted
from glyphd.store.migrations.sqlite.imports_found import imports_spoken_of
from glyphd.store.migrations.sqlite.ledger_up import FOUND, IMPLIED
from glyphd.store.migrations.sqlite.parking import forget, is_parked, park, take_texts
from glyphd.store.migrations.sqlite.rebuilding import column_names, rebuild, triggers_set_aside


def reduce(connection: Connection, going: Collection[str]) -> None:
    """Park the whole ledger; keep, in the old shape, the imports that an old reader would count."""
    sql = take_texts(connection, "0002")["import_batches"]
    with triggers_set_aside(connection), imports_spoken_of(connection) as spoken_of:
        kept = park(
            connection,
            "import_batches",
            "SELECT *, _visible AND NOT import_id IN"
            f" (SELECT import_id FROM {PREFIX}{IMPLIED}) AS _kept FROM (SELECT l.*, l.import_id IN ({VISIBLE}) AS"
            f" _visible, COALESCE(s.scored, 0) AS _scored FROM import_batches l LEFT JOIN {spoken_of} s"
            " ON s.import_id = l.import_id)",
        )
        values, join = _found(connection, going)
        rows = f"{join} WHERE o.import_id IN (SELECT import_id FROM {kept} WHERE _kept)"
        rebuild(connection, "import_batches", sql, values, rows=rows, going=going)
        forget(connection, FOUND)


def _found(connection: Connection, going: Collection[str]) -> tuple[dict[str, str], str]:
    """Return what restores the values that had to be replaced on the way up."""
    if not is_parked(connection, FOUND):
        return {}, ""
    clashing = {name for name in column_names(connection, PREFIX + FOUND) if name.lower() in going}
    values = {name.lower(): f"f.{quoted(name)}" for name in clashing} | {
        "import_id": "CASE WHEN f._now IS NULL THEN o.import_id ELSE f.import_id END",
        "imported_at": "CASE WHEN f._now IS NULL OR f.imported_at NOT NULL THEN o.imported_at END",
    }
    return values, f"LEFT JOIN {PREFIX}{FOUND} f ON f._now = o.import_id AND f.id = o.id"
