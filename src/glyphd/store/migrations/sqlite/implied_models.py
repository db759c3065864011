"""Models that rows speak of and no row of `models` describes: added on the way up, gone again on the way down."""

from sqlalchemy import Connection

from glyphd.store.migrations.rules import PREFIX
from glyphd.store.migrations.sqlite.parking import is_parked, park, return_rows
from glyphd.store.migrations.sqlite.rebuilding import has_columns

_IMPLIED = "implied_models"
_SPECS = (
    *("vram_gb", "tdp_watts", "mig_support", "nvlink", "generation", "cuda_cores", "slot_width", "pcie_generation"),
    "import_id",
)
_TABLES = ("scored_listings", "listings")


def add(connection: Connection) -> None:
    """Describe every model that rows speak of, as the first of its rows does."""
    return_rows(
        connection, "models", "WHERE p.model NOT IN (SELECT model FROM models) AND p.id NOT IN (SELECT id FROM models)"
    )
    for table in _TABLES:
        names = [name for name in _SPECS if has_columns(connection, table, name)]
        missing = (
            f"FROM {table} l JOIN (SELECT canonical_model, MIN(id) AS first FROM {table} WHERE canonical_model NOT NULL"
            " AND canonical_model NOT IN (SELECT model FROM models) GROUP BY 1) f ON f.first = l.id"
        )
        _note(connection, f"SELECT l.canonical_model AS model {missing}")
        connection.exec_driver_sql(
            f"INSERT INTO models (id, model, {', '.join(names)})"
            " SELECT (SELECT MIN(COALESCE(MIN(id), 1), 1) FROM models) - ROW_NUMBER() OVER (ORDER BY l.id),"
            f" l.canonical_model, {', '.join(f'l.{name}' for name in names)} {missing}"
        )


def _note(connection: Connection, query: str) -> None:
    """Write down which models are being added, and the last rows there are: only those did without."""
    last = ", ".join(f"(SELECT MAX(id) FROM {table}) AS {table}" for table in _TABLES)
    noted = f"SELECT model, {last} FROM ({query})"
    if not connection.exec_driver_sql(f"SELECT 1 FROM ({query}) LIMIT 1").first():
        return
    if is_parked(connection, _IMPLIED):
        connection.exec_driver_sql(f"INSERT INTO {PREFIX}{_IMPLIED} {noted}")
    else:
        park(connection, _IMPLIED, noted)


def remove(connection: Connection) -> None:
    """Park the added models, unless rows that came later speak of them too."""
    if not is_parked(connection, _IMPLIED):
        return
    spoken = " AND ".join(
        f"NOT EXISTS (SELECT 1 FROM {table} l WHERE l.canonical_model = i.model AND l.id > COALESCE(i.{table}, 0))"
        for table in _TABLES
    )
    going = f"model IN (SELECT i.model FROM {PREFIX}{_IMPLIED} i WHERE {spoken})"
    park(connection, "models", f"SELECT * FROM models WHERE {going}")
    connection.exec_driver_sql(f"DELETE FROM models WHERE {going}")
