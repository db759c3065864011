"""What a worker process does: run imports, clean up after failed ones, wait."""

import gc
import os
import socket
import time
from collections.abc import Callable
from uuid import uuid4

import structlog

from glyphd.errors import GlyphdError
from glyphd.services.cleaning import clean_next
from glyphd.services.context import Context
from glyphd.services.idempotency import remove_expired_keys
from glyphd.services.running import run_next

POLL_SECONDS = 0.05
TROUBLE_SECONDS = 1.0

_log = structlog.get_logger()


def worker_name() -> str:
    """Return a name that no other worker has, alive or dead."""
    return f"{socket.gethostname()}:{os.getpid()}:{uuid4().hex[:8]}"


def work(context: Context, name: str, should_stop: Callable[[], bool]) -> None:
    """Run imports until told to stop; one that has begun is finished first."""
    gc.freeze()  # what is loaded stays: full collections took 4 % of a run of 1M rows
    context.artifacts.remove_stale()
    _log.info("worker.ready", worker=name)
    while not should_stop():
        try:
            busy = run_next(context, name) or clean_next(context) or remove_expired_keys(context)
        except GlyphdError as exc:  # the store is away or busy: the imports wait, and so do we
            _log.error("worker.trouble", worker=name, code=exc.code, detail=exc.detail)
            time.sleep(TROUBLE_SECONDS)
            continue
        if not busy:
            time.sleep(POLL_SECONDS)
    _log.info("worker.stopped", worker=name)
