"""Revision 0001 on PostgreSQL: the tables are made; after a downgrade to base they are there already."""

import sqlalchemy as sa
from sqlalchemy import Connection

from glyphd.errors import MigrationFailed
from glyphd.store.migrations import baseline

_BUMP = """CREATE OR REPLACE FUNCTION glyphd_bump_updated_at() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.updated_at := CURRENT_TIMESTAMP;
    RETURN NEW;
END $$"""


def adopt(connection: Connection) -> None:
    """Create the tables of the baseline that are missing. Raises MigrationFailed for one that lacks a column."""
    for table in baseline.metadata.sorted_tables:
        if sa.inspect(connection).has_table(table.name):
            _check(connection, table)
    baseline.metadata.create_all(connection, checkfirst=True)
    connection.exec_driver_sql(_BUMP)
    for name in baseline.BUMPED:
        connection.exec_driver_sql(
            f"CREATE OR REPLACE TRIGGER update_{name}_timestamp BEFORE UPDATE ON {name}"
            " FOR EACH ROW EXECUTE FUNCTION glyphd_bump_updated_at()"
        )


def _check(connection: Connection, table: sa.Table) -> None:
    here = {column["name"] for column in sa.inspect(connection).get_columns(table.name)}
    missing = [column.name for column in table.columns if column.name not in here]
    if missing:
        raise MigrationFailed(f"Table {table.name} has no column {missing[0]}: it is not one that glyphd made.")
