"""`glyphd worker`."""

import os
import signal
import threading
from typing import Annotated

import typer

from glyphd.bootstrap import opened_context
from glyphd.cli.installation import read_local_settings
from glyphd.cli.output import failures_reported
from glyphd.logs import configure_logs
from glyphd.worker.loop import work, worker_name
from glyphd.worker.supervisor import WorkerSupervisor


def worker(
    concurrency: Annotated[int, typer.Option(min=1, help="Imports to run at once, each in a process of its own.")] = 1,
    name: Annotated[str | None, typer.Option(help="Name to claim imports under; only for one at once.")] = None,
    beside: Annotated[int | None, typer.Option(hidden=True, help="Stop when this parent process is gone.")] = None,
    niceness: Annotated[int, typer.Option(hidden=True, help="How much to give way to other processes.")] = 0,
) -> None:
    """Run imports that wait, until told to stop (SIGTERM finishes what has begun)."""
    if name and concurrency > 1:
        raise typer.BadParameter("several processes cannot claim imports under one name", param_hint="--name")
    settings = read_local_settings()
    configure_logs(settings.log_level)
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    # Ctrl-C reaches the whole process group: beside a server, the server says when to stop.
    signal.signal(signal.SIGINT, signal.SIG_IGN if beside else lambda *_: stop.set())
    os.nice(niceness)
    with failures_reported(), opened_context(settings) as context:
        if concurrency > 1:
            _supervise(WorkerSupervisor(context, settings, drain_seconds=None), concurrency, stop)
        else:
            work(
                context, name or worker_name(), lambda: stop.is_set() or (beside is not None and os.getppid() != beside)
            )


def _supervise(supervisor: WorkerSupervisor, concurrency: int, stop: threading.Event) -> None:
    supervisor.start(concurrency)
    try:
        stop.wait()
    finally:
        supervisor.stop()
