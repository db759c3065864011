"""A client of a server of this process, with a worker beside it."""

from collections.abc import Callable, Iterator

import httpx
import pytest

from glyphd.client import Client
from glyphd.services.context import Context
from glyphd.settings import Settings
from tests.serving import serving, working


@pytest.fixture
def server(make_settings: Callable[..., Settings], context: Context) -> Iterator[str]:
    """The URL of a server whose imports are run."""
    with serving(make_settings(), context) as http, working(context):
        yield str(http.base_url)


@pytest.fixture
def client(server: str) -> Iterator[Client]:
    """A client of it."""
    with Client(server, actor="tester") as made:
        yield made


class Broken(httpx.BaseTransport):
    """Loses the first answers to imports on their way back: the server has carried the requests out."""

    def __init__(self, answers: int) -> None:
        self.left, self.keys = answers, list[str]()
        self._inner = httpx.HTTPTransport()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Pass a request on, and lose its answer while there are some to lose."""
        answer = self._inner.handle_request(request)
        if request.method == "POST":
            self.keys.append(request.headers.get("Idempotency-Key", ""))
            if self.left > 0:
                self.left -= 1
                answer.read()
                raise httpx.ReadError("the connection broke", request=request)
        return answer

    def close(self) -> None:
        """Close the connections."""
        self._inner.close()
