"""One log line a request, under an id that the answer carries too."""

import time
from urllib.parse import quote
from uuid import uuid4

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from glyphd.api.problems import problem_response
from glyphd.errors import UnexpectedFailure

_log = structlog.get_logger()


class RequestLog:
    """ASGI middleware; a request id that the client sends in `X-Request-ID` is kept if it is plain."""

    def __init__(self, app: ASGIApp) -> None:
        """Wrap an application."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and log it once its answer is known; what nobody foresaw is answered as a problem."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = _request_id(Headers(scope=scope).get("x-request-id", ""))
        scope.setdefault("state", {})["request_id"] = request_id
        answer = _Answer(send, request_id)
        started = time.perf_counter()
        with structlog.contextvars.bound_contextvars(request_id=request_id):
            try:
                await self._app(scope, receive, answer.send)
            except Exception:
                _log.exception("request.unexpected", path=_plain(scope["path"]))
                if answer.status is not None:
                    raise  # too late for another answer: the connection breaks, so that the client sees it
                await problem_response(UnexpectedFailure("See the server's log."))(scope, receive, answer.send)
            finally:
                _log_request(scope, answer.status, time.perf_counter() - started)


class _Answer:
    """Passes an answer on, with the request's id; ``status`` is None until it begins."""

    def __init__(self, send: Send, request_id: str) -> None:
        self.status: int | None = None
        self._send = send
        self._request_id = request_id

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            MutableHeaders(scope=message)["X-Request-ID"] = self._request_id
        await self._send(message)


def _log_request(scope: Scope, status: int | None, seconds: float) -> None:
    import_id = scope["state"].get("import_id")
    known = {"import_id": import_id} if import_id else {}
    path = _plain(scope["path"])
    _log.info("request", method=scope["method"], path=path, status=status, ms=round(seconds * 1000, 1), **known)


def _plain(path: str) -> str:
    """Return a path without what a terminal would act on."""
    return quote(path, safe="/:@!$&'()*+,;=~", errors="backslashreplace")


def _request_id(given: str) -> str:
    plain = 0 < len(given) <= 64 and given.isascii() and given.replace("-", "").isalnum()
    return given if plain else uuid4().hex
