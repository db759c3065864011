"""The API on a real socket of this process, with a worker in a thread beside it."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from glyphd.bootstrap import build_context
from glyphd.settings import Settings
from tests.engines import Databases
from tests.serving import serving, working

SAMPLE = Path(__file__).parents[3] / "sample" / "scored_sample.csv"


@contextmanager
def _api(settings: Settings, *, worker: bool) -> Iterator[httpx.Client]:
    context = build_context(settings)
    with ExitStack() as stack:
        stack.callback(context.database.dispose)
        if worker:
            stack.enter_context(working(context))
        yield stack.enter_context(serving(settings, context))


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
