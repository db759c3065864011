"""`glyphd serve`, `glyphd worker`, `glyphd openapi`."""

import os
import signal
import sys
import threading
from typing import Annotated, Any

import structlog
import typer
import uvicorn

from glyphd.api.app import create_app
from glyphd.bootstrap import open_context
from glyphd.cli.output import failures_reported, print_json
from glyphd.logs import configure_logs
from glyphd.settings import Settings
from glyphd.worker.loop import work, worker_name
from glyphd.worker.supervisor import WorkerSupervisor, environment_of

_log = structlog.get_logger()


def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on; GLYPHD_HOST.")] = None,
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="Port to listen on; GLYPHD_PORT.")] = None,
    workers: Annotated[int, typer.Option(min=1, help="API processes.")] = 1,
    import_workers: Annotated[
        int | None, typer.Option(min=0, help="Import worker processes; GLYPHD_IMPORT_WORKERS.")
    ] = None,
    *,
    migrate: Annotated[bool, typer.Option("--migrate", help="Migrate the database first.")] = False,
) -> None:
    """Serve the HTTP API, with import workers beside it."""
    given: dict[str, Any] = {"host": host, "port": port, "import_workers": import_workers}
    settings = Settings(**{name: value for name, value in given.items() if value is not None})
    configure_logs(settings.log_level)
    with failures_reported():
        context = open_context(settings, migrate=migrate)
    os.environ.update(environment_of(settings))  # uvicorn's own processes read their settings there
    supervisor = WorkerSupervisor(context, settings)
    supervisor.start(settings.import_workers)
    _log.info("server.starting", url=f"http://{settings.host}:{settings.port}", database=str(context.database.url))
    # uvicorn raises the signal again once it has shut down: with the default handler nothing after it would run.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        uvicorn.run(
            "glyphd.api.app:create_app",
            factory=True,
            host=settings.host,
            port=settings.port,
            workers=workers,
            log_config=None,
            access_log=False,
            server_header=False,
        )
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        supervisor.stop()
        context.database.dispose()


def worker(
    name: Annotated[str | None, typer.Option(help="Name to claim imports under.")] = None,
    beside: Annotated[int | None, typer.Option(hidden=True, help="Stop when this parent process is gone.")] = None,
) -> None:
    """Run imports that wait, until told to stop (SIGTERM finishes the one that has begun)."""
    settings = Settings()
    configure_logs(settings.log_level)
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    # Ctrl-C reaches the whole process group: beside a server, the server says when to stop.
    signal.signal(signal.SIGINT, signal.SIG_IGN if beside else lambda *_: stop.set())
    with failures_reported():
        context = open_context(settings)
    work(context, name or worker_name(), lambda: stop.is_set() or (beside is not None and os.getppid() != beside))
    context.database.dispose()


def openapi() -> None:
    """Print the OpenAPI document."""
    print_json(create_app(Settings()).openapi())
