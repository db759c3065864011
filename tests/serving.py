"""The API on a real socket of this process, and a worker in a thread of it."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import uvicorn

from glyphd.api.connection import ReadingProtocol
from glyphd.console.app import create_app
from glyphd.services.context import Context
from glyphd.settings import Settings
from glyphd.worker.loop import work


@contextmanager
def _thread(target: Callable[..., Any], *arguments: Any, stop: Callable[[], None]) -> Iterator[None]:
    thread = threading.Thread(target=target, args=arguments)
    thread.start()
    try:
        yield
    finally:
        stop()
        thread.join()


@contextmanager
def working(context: Context) -> Iterator[None]:
    """Run a worker in a thread until the block ends."""
    stop = threading.Event()
    with _thread(work, context, "worker", stop.is_set, stop=stop.set):
        yield


@contextmanager
def serving(settings: Settings, context: Context) -> Iterator[httpx.Client]:
    """Serve the API from a thread until the block ends."""
    app = create_app(settings, context)
    server = uvicorn.Server(uvicorn.Config(app, http=ReadingProtocol, log_config=None, access_log=False))
    # asyncio sets TCP_NODELAY only where the protocol is named; without it every answer takes 40 ms (measured).
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()  # before the server's thread does: a client may be first
        base = f"http://127.0.0.1:{listener.getsockname()[1]}"

        def stop() -> None:
            server.should_exit = True

        with _thread(server.run, [listener], stop=stop), httpx.Client(base_url=base, timeout=60) as client:
            yield client
