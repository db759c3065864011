"""Migrate the database, and tell where it stands."""

from glyphd.services.context import Context
from glyphd.store import schema
from glyphd.store.schema import SchemaStatus


def migrate_to(context: Context, revision: str = "head", *, dry_run: bool = False) -> list[str]:
    """Go to a revision, up or down, and return the SQL; revision numbers are in order.

    Raises MigrationFailed, SchemaOutOfDate, InvalidParameter.
    """
    engine = context.database.engine
    current = schema.schema_status(engine).current or ""
    if revision == "base" or (revision != "head" and revision < current):
        return schema.downgrade(engine, to=revision, dry_run=dry_run)
    return schema.upgrade(engine, revision, dry_run=dry_run)


def migrate_down(context: Context, steps: int, *, dry_run: bool = False) -> list[str]:
    """Go down some revisions and return the SQL. Raises as :func:`migrate_to`."""
    return schema.downgrade(context.database.engine, steps, dry_run=dry_run)


def tell_schema(context: Context) -> SchemaStatus:
    """Return at which revision the database is, and what is pending."""
    return schema.schema_status(context.database.engine)
