"""Processes that die by themselves at a moment that the test names."""

import dataclasses
import os
import signal
from datetime import timedelta
from typing import Any

from sqlalchemy import event

from glyphd.bootstrap import build_context
from glyphd.domain.clock import utc_now
from glyphd.domain.imports import Status
from glyphd.services.cleaning import clean_next
from glyphd.services.context import Context
from glyphd.services.running import claim_next, run_import, run_next
from glyphd.settings import Settings
from tests.reliability.batches import Batch
from tests.reliability.ledger import submit

SURVIVED = 0


def later(context: Context) -> Context:
    """Return the context as it is an hour later, when every lease has run out."""
    return dataclasses.replace(context, clock=lambda: utc_now() + timedelta(hours=1))


def run_and_die(settings: Settings, commit: int) -> None:
    """Be a worker that is killed before its n-th COMMIT."""
    context = _dying_context(settings, commit)
    run_next(context, "dying")
    os._exit(SURVIVED)


def clean_and_die(settings: Settings, commit: int) -> None:
    """Be a worker that is killed before the n-th COMMIT of cleaning up."""
    context = _dying_context(settings, commit)
    clean_next(context)
    os._exit(SURVIVED)


def receive_and_die(settings: Settings, batch: Batch, *, after: bool) -> None:
    """Be a server that is killed before or after it commits a receipt."""
    submit(_dying_context(settings, 1, after=after), batch)


def run_all_but_poison(settings: Settings) -> None:
    """Be a worker that one kind of batch kills, until nothing waits."""
    context = build_context(settings)
    while held := claim_next(context, f"worker {os.getpid()}"):
        if held.status is Status.RUNNING:
            if held.source == "poison":
                os.kill(os.getpid(), signal.SIGKILL)
            run_import(context, held)
    os._exit(SURVIVED)


def _dying_context(settings: Settings, commit: int, *, after: bool = False) -> Context:
    context = build_context(settings)
    left = commit

    def count(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        nonlocal left
        left -= statement == "COMMIT"
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    event.listen(context.database.engine, "after_cursor_execute" if after else "before_cursor_execute", count)
    return context
