"""`glyphd worker`."""

import os
import signal
import threading
from typing import Annotated

import typer

from glyphd.bootstrap import open_context
from glyphd.cli.output import failures_reported, read_settings
from glyphd.logs import configure_logs
from glyphd.worker.loop import work, worker_name

NICENESS = 10
"""Beside a server its requests come first; an import takes what is left of the cores."""


def worker(
    name: Annotated[str | None, typer.Option(help="Name to claim imports under.")] = None,
    beside: Annotated[int | None, typer.Option(hidden=True, help="Stop when this parent process is gone.")] = None,
) -> None:
    """Run imports that wait, until told to stop (SIGTERM finishes the one that has begun)."""
    settings = read_settings()
    configure_logs(settings.log_level)
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    # Ctrl-C reaches the whole process group: beside a server, the server says when to stop.
    signal.signal(signal.SIGINT, signal.SIG_IGN if beside else lambda *_: stop.set())
    if beside:
        os.nice(NICENESS)
    with failures_reported():
        context = open_context(settings)
    work(context, name or worker_name(), lambda: stop.is_set() or (beside is not None and os.getppid() != beside))
    context.database.dispose()
