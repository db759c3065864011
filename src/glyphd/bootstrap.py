"""Settings become engines, engines become services. Nothing is built at import time; every entry point starts here."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import structlog

from glyphd.artifacts.folder import ArtifactFolder
from glyphd.domain.gates import GateLimits
from glyphd.ingest.records import Limits
from glyphd.services.context import Context
from glyphd.settings import Settings
from glyphd.store import schema
from glyphd.store.database import Database

_log = structlog.get_logger()


def build_context(settings: Settings) -> Context:
    """Connect the services with their stores. Raises StoreUnavailable for a database URL that is not understood."""
    return Context(
        database=Database(
            settings.database_url, pool_size=settings.database_pool, silence_seconds=settings.lease_seconds
        ),
        artifacts=ArtifactFolder(settings.artifacts_folder),
        lease=timedelta(seconds=settings.lease_seconds),
        max_queue=settings.max_queue,
        limits=Limits(cell_bytes=settings.max_cell_bytes),
        gates={source: GateLimits(**asked.model_dump()) for source, asked in settings.gates.items()},
    )


@contextmanager
def opened_context(settings: Settings, *, migrate: bool = False) -> Iterator[Context]:
    """Build the context over a database at this version's schema revision; its connections are closed in the end.

    Raises SchemaOutOfDate for another revision.
    """
    context = build_context(settings)
    try:
        if migrate and schema.upgrade(context.database.engine):
            _log.info("schema.migrated", revision=schema.HEAD)
        schema.require_current(context.database.engine)
        yield context
    finally:
        context.database.dispose()
