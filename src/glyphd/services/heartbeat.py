"""A worker says that it lives, whatever it is busy with: a lease lapses only when its worker is dead or stopped."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import structlog

from glyphd.domain.imports import Import
from glyphd.errors import GlyphdError, LeaseLost
from glyphd.services.context import Context
from glyphd.store import imports

BEATS_PER_LEASE = 3

_log = structlog.get_logger()


@contextmanager
def heartbeat(context: Context, held: Import) -> Iterator[None]:
    """Renew the lease of an import from a thread, until the context ends or the lease is another worker's."""
    ended = threading.Event()
    thread = threading.Thread(target=_beat, args=(context, held, ended), name="heartbeat", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _beat(context: Context, held: Import, ended: threading.Event) -> None:
    while not ended.wait(context.lease.total_seconds() / BEATS_PER_LEASE):
        try:
            with context.database.writing(durable=False) as work:
                expires = context.clock() + context.lease
                imports.update_running(work.connection, held, {"lease_expires_at": expires})
                work.commit()
        except LeaseLost:
            return  # the next step of the run finds out by itself
        except GlyphdError as exc:
            _log.warning("import.heartbeat_missed", import_id=held.import_id, code=exc.code)
