"""`glyphd serve`."""

import os
import signal
import socket
import sys
from contextlib import suppress
from ipaddress import ip_address
from typing import Annotated

import structlog
import typer
import uvicorn
from uvicorn.supervisors import Multiprocess

from glyphd.api.connection import ReadingProtocol
from glyphd.bootstrap import opened_context
from glyphd.cli.installation import read_local_settings
from glyphd.cli.output import ExitCode, failures_reported, print_failure
from glyphd.logs import configure_logs
from glyphd.settings import Settings
from glyphd.worker.supervisor import NICENESS, WorkerSupervisor, environment_of

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
    settings = read_local_settings(host=host, port=port, import_workers=import_workers)
    configure_logs(settings.log_level)
    with failures_reported(), opened_context(settings, migrate=migrate) as context:
        os.environ.update(environment_of(settings))  # uvicorn's own processes read their settings there
        with _listening(settings.host, settings.port) as listener:
            url = f"http://{settings.host}:{listener.getsockname()[1]}"
            _log.info("server.starting", url=url, database=context.database.url.render_as_string())
            tell_who_may(settings, listener)
            _serve_beside_workers(listener, workers, WorkerSupervisor(context, settings, niceness=NICENESS), settings)


def tell_who_may(settings: Settings, listener: socket.socket) -> None:
    """Say who may read and write, when that is not only who knows the access token."""
    if settings.api_token is None:
        told = _log.info if ip_address(listener.getsockname()[0]).is_loopback else _log.warning
        told("server.open", reads="everyone", writes="everyone", address=settings.host, advice="Set GLYPHD_API_TOKEN.")
    elif not settings.guard_reads:
        _log.info("server.guarded", reads="everyone", writes="who has the access token")
    else:
        _log.info("server.guarded", reads="who has the access token", writes="who has the access token")


def _serve_beside_workers(
    listener: socket.socket, workers: int, supervisor: WorkerSupervisor, settings: Settings
) -> None:
    supervisor.start(settings.import_workers)
    # uvicorn raises the signal again once it has shut down: with the default handler nothing after it would run.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        _run(listener, workers)
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        supervisor.stop()


def _listening(host: str, port: int) -> socket.socket:
    """Bind before anything is started, so that a port that is taken is one sentence.

    The protocol is named, since asyncio sets TCP_NODELAY only then: on uvicorn's own socket for several processes every
    answer took 40 ms longer (measured).
    """
    listener: socket.socket | None = None
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, protocol or socket.IPPROTO_TCP)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
    except OSError as exc:
        if listener is not None:
            listener.close()
        print_failure("The server cannot listen", f"{host}:{port}: {exc.strerror}.")
        raise typer.Exit(ExitCode.FAILED) from exc
    listener.set_inheritable(True)
    return listener


def _run(listener: socket.socket, workers: int) -> None:
    """Serve until told to stop."""
    config = uvicorn.Config(
        "glyphd.console.app:create_app",
        factory=True,
        workers=workers,
        http=ReadingProtocol,
        log_config=None,
        access_log=False,
        server_header=False,
    )
    with suppress(KeyboardInterrupt):
        if workers > 1:
            Multiprocess(config, sockets=[listener]).run()
            return
        server = uvicorn.Server(config)
        server.run(sockets=[listener])
        if not server.started:
            raise typer.Exit(ExitCode.FAILED)
