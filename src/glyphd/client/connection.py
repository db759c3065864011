"""One server: requests that are sent again while that can help, and answers that are read or raised."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Self, TypeVar

import httpx
import msgspec
from tenacity import RetryCallState, Retrying, retry_if_exception, stop_after_attempt, wait_exponential_jitter

from glyphd.client.problems import is_passing, problem_of
from glyphd.errors import GlyphdError, ServerUnreachable, UnexpectedAnswer

T = TypeVar("T")

_CONNECT_SECONDS = 10.0
_LONGEST_PAUSE = 60.0
_BACKOFF = wait_exponential_jitter(multiplier=0.25, max=30, jitter=0.5)


def _pause(state: RetryCallState) -> float:
    """Return how many seconds to wait: what the server asked for, else twice as long each time."""
    exc = state.outcome.exception() if state.outcome else None
    asked = exc.members.get("retry_after", 0) if isinstance(exc, GlyphdError) else 0

    return float(min(max(asked, _BACKOFF(state)), _LONGEST_PAUSE))


class Connection:
    """Sends requests to one server; connections to it are kept."""

    def __init__(
        self,
        base_url: str,
        headers: Mapping[str, str],
        *,
        timeout: float,
        retries: int,
        transport: httpx.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Connect to nothing yet. Raises ValueError for a URL that no server can have."""
        url = httpx.URL(base_url)
        if url.scheme not in {"http", "https"} or not url.host:
            raise ValueError(f"{base_url!r} is not the URL of a server, such as http://localhost:8080.")
        limits = httpx.Timeout(timeout, connect=min(timeout, _CONNECT_SECONDS))
        self._http = httpx.Client(base_url=url, headers=headers, timeout=limits, transport=transport)
        self._retrying = Retrying(
            retry=retry_if_exception(is_passing),
            wait=_pause,
            stop=stop_after_attempt(retries + 1),
            sleep=sleep,
            reraise=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def get(self, path: str, kind: type[T], params: Mapping[str, Any] | None = None) -> T:
        """Return the answer to a question, read as a type."""
        return read_as(kind, self.ask("GET", path, params=params))

    def ask(self, method: str, path: str, *, repeatable: bool = True, **request: Any) -> httpx.Response:
        """Return an answer that is none of an error; ``request`` is what httpx takes.

        A request that is not ``repeatable`` is sent once. Raises ServerUnreachable, UnexpectedAnswer, and whatever the
        server answers as a problem.
        """
        retrying = self._retrying if repeatable else self._retrying.copy(stop=stop_after_attempt(1))
        return retrying(self._ask_once, method, path, request)

    def _ask_once(self, method: str, path: str, request: Mapping[str, Any]) -> httpx.Response:
        with _transport_errors(self._http.base_url):
            answer = self._http.request(method, path, **request)
        if not answer.is_success:
            raise problem_of(answer)
        return answer

    @contextmanager
    def stream(self, path: str, params: Mapping[str, Any] | None = None) -> Iterator[httpx.Response]:
        """Open an answer whose body is read as it comes; only until it begins is the request sent again."""
        answer = self._retrying(self._open_once, path, params)
        try:
            with _transport_errors(self._http.base_url):
                yield answer
        finally:
            answer.close()

    def _open_once(self, path: str, params: Mapping[str, Any] | None) -> httpx.Response:
        with _transport_errors(self._http.base_url):
            answer = self._http.send(self._http.build_request("GET", path, params=params), stream=True)
            if answer.is_success:
                return answer
            answer.read()
        raise problem_of(answer)


@contextmanager
def _transport_errors(url: httpx.URL) -> Iterator[None]:
    try:
        yield
    except httpx.TransportError as exc:
        said = str(exc) or type(exc).__name__
        raise ServerUnreachable(f"{url.copy_with(userinfo=b'')}: {said}.") from exc


def read_as(kind: type[T], answer: httpx.Response) -> T:
    """Read a JSON answer as a type; members that it does not have are left out. Raises UnexpectedAnswer."""
    try:
        return msgspec.json.decode(answer.content, type=kind)
    except msgspec.MsgspecError as exc:
        detail = f"{answer.request.method} {answer.request.url} answered what is not understood: {exc}."
        raise UnexpectedAnswer(detail, status=answer.status_code) from exc
