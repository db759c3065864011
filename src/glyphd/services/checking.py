"""Check whether this installation can work."""

from glyphd.services.context import Context
from glyphd.store import imports, schema


def check_ready(context: Context) -> None:
    """Raise SchemaOutOfDate, StoreUnavailable or NoSpaceLeft unless imports can be received."""
    schema.require_current(context.database.engine)
    with context.database.reading() as connection:
        imports.count_waiting(connection)
    with context.artifacts.writing() as writer:
        writer.write(b"ready?")
        writer.flush()
