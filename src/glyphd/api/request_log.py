"""One log line a request, under an id that the answer carries too."""

import time
from uuid import uuid4

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_log = structlog.get_logger()


class RequestLog:
    """ASGI middleware; a request id that the client sends in `X-Request-ID` is kept if it is plain."""

    def __init__(self, app: ASGIApp) -> None:
        """Wrap an application."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and log it once its answer is known."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = _request_id(Headers(scope=scope).get("x-request-id", ""))
        state = scope.setdefault("state", {})
        state["request_id"] = request_id
        status, started = 499, time.perf_counter()

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)["X-Request-ID"] = request_id
            await send(message)

        with structlog.contextvars.bound_contextvars(request_id=request_id):
            try:
                await self._app(scope, receive, send_with_id)
            finally:
                _log.info(
                    "request",
                    method=scope["method"],
                    path=scope["path"],
                    status=status,
                    ms=round((time.perf_counter() - started) * 1000, 1),
                    **({"import_id": state["import_id"]} if "import_id" in state else {}),
                )


def _request_id(given: str) -> str:
    plain = 0 < len(given) <= 64 and given.isascii() and given.replace("-", "").isalnum()
    return given if plain else uuid4().hex
