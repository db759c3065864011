"""The API on a real socket of this process, with a worker in a thread beside it."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn

from glyphd.api.app import create_app
from glyphd.bootstrap import build_context
from glyphd.services.context import Context
from glyphd.settings import Settings
from glyphd.worker.loop import work
from tests.engines import Databases

SAMPLE = Path(__file__).parents[3] / "sample" / "scored_sample.csv"


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
def _working(context: Context) -> Iterator[None]:
    stop = threading.Event()
    with _thread(work, context, "worker", stop.is_set, stop=stop.set):
        yield


@contextmanager
def _serving(settings: Settings, context: Context) -> Iterator[httpx.Client]:
    server = uvicorn.Server(uvicorn.Config(create_app(settings, context), log_config=None, access_log=False))
    # asyncio sets TCP_NODELAY only where the protocol is named; without it every answer takes 40 ms (measured).
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        listener.bind(("127.0.0.1", 0))
        base = f"http://127.0.0.1:{listener.getsockname()[1]}"

        def stop() -> None:
            server.should_exit = True

        with _thread(server.run, [listener], stop=stop), httpx.Client(base_url=base, timeout=60) as client:
            yield client


@contextmanager
def _api(settings: Settings, *, worker: bool) -> Iterator[httpx.Client]:
    context = build_context(settings)
    with ExitStack() as stack:
        stack.callback(context.database.dispose)
        if worker:
            stack.enter_context(_working(context))
        yield stack.enter_context(_serving(settings, context))


@pytest.fixture
def make_api(make_settings: Callable[..., Settings]) -> Iterator[Callable[..., httpx.Client]]:
    """Serve the API over a fresh database, with a worker unless told otherwise; settings as keyword arguments."""
    with ExitStack() as stack:

        def make(name: str = "glyphd", *, worker: bool = True, **values: Any) -> httpx.Client:
            return stack.enter_context(_api(make_settings(name, **values), worker=worker))

        yield make


@pytest.fixture
def api(make_api: Callable[..., httpx.Client]) -> httpx.Client:
    """The API over a fresh database, with a worker."""
    return make_api()


@pytest.fixture(scope="module")
def shared_api(
    tmp_path_factory: pytest.TempPathFactory, engine: str, _all_databases: Databases
) -> Iterator[httpx.Client]:
    """Serve the API over a database that the tests of one module share."""
    folder = tmp_path_factory.mktemp("shared")
    settings = Settings(database_url=_all_databases.migrated(folder), artifacts_url=str(folder / "artifacts"))
    with _api(settings, worker=True) as client:
        yield client


@pytest.fixture
def sample() -> bytes:
    """The project's own sample: 10 records, 8 of them valid."""
    return SAMPLE.read_bytes()
