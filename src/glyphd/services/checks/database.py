"""Check the database: whether it can be used, whether it is whole, and at which schema revision it is."""

from collections.abc import Iterator

from glyphd.domain.findings import Check, Finding, Level, spoken_count
from glyphd.services.context import Context
from glyphd.store import health, schema

_MIGRATE = "Run `glyphd migrate`, or `glyphd serve --migrate`."


def check_database(context: Context) -> Iterator[Finding]:
    """Reach it, and read."""
    location = context.database.location
    if location is not None and not location.exists():  # connecting to it would make an empty one
        advice = "Run `glyphd migrate` to make one, or let GLYPHD_DATABASE_URL name the one there is."
        yield Finding(Check.DATABASE, Level.PROBLEM, f"There is no database at {location}.", advice)
        return
    with context.database.reading() as connection:
        version = health.engine_version(connection)
    url = context.database.url.render_as_string()
    yield Finding(Check.DATABASE, Level.OK, f"{url} can be read ({version}).")


def check_writing(context: Context) -> Iterator[Finding]:
    """Take a turn to write, in which nothing is written."""
    with context.database.writing():
        pass
    yield Finding(Check.DATABASE, Level.OK, "The database can be written.")


def check_integrity(context: Context) -> Iterator[Finding]:
    """Ask the engine; may read all of the database."""
    faults = context.database.faults()
    yield from faults or [Finding(Check.INTEGRITY, Level.OK, "The database finds nothing wrong with itself.")]


def check_schema(context: Context) -> Iterator[Finding]:
    """Compare the database's schema revision with this glyphd's."""
    status = schema.schema_status(context.database.engine)
    at = f"The database is at schema revision {status.current}"
    if not status.known:
        said = f"{at}, which this glyphd (up to {status.head}) does not know."
        yield Finding(Check.SCHEMA, Level.PROBLEM, said, "Upgrade glyphd.")
    elif status.current is None:
        yield Finding(Check.SCHEMA, Level.PROBLEM, "The database has not been migrated.", _MIGRATE)
    elif status.pending:
        said = f"{at} and lacks {spoken_count(len(status.pending), 'revision')} up to {status.head}."
        yield Finding(Check.SCHEMA, Level.PROBLEM, said, _MIGRATE)
    else:
        yield Finding(Check.SCHEMA, Level.OK, f"{at}, the newest.")
