"""Failures as pages: what the API answers as a problem, a person with a browser reads."""

import json
from collections.abc import Mapping
from typing import Any

from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from glyphd.api.problems import MEDIA_TYPE
from glyphd.console.pages import HEADERS, render
from glyphd.console.signing_in import login_address
from glyphd.errors import Unauthorized

_WHAT_TO_DO = {
    "form_expired": "Go back, reload the page, and send the form again. The browser must accept cookies.",
    "illegal_transition": "Go back and reload the page: the import is no longer in the state that it showed.",
    "import_not_found": "Look for it among the imports; the address may have been cut.",
    "invalid_parameter": "Go back and correct the value.",
    "queue_full": "Wait until some of the waiting imports are done, then try again.",
    "schema_out_of_date": "Run `glyphd migrate`, then reload the page.",
    "store_unavailable": "Try again in a moment; `glyphd doctor` says what is wrong with the database.",
    "unauthorized": "Sign in at /login, go back, and send the form again.",
    "unexpected_failure": "Look in the server's log for the request's id.",
}
_OTHERWISE = "Go back and try again, or begin at the overview."


class FailurePages:
    """ASGI middleware: a problem that is answered outside `/api`, to who accepts HTML, is answered as a page."""

    def __init__(self, app: ASGIApp) -> None:
        """Wrap an application."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and its answer; a problem is held back until it is whole."""
        if scope["type"] == "http" and _is_for_people(scope):
            await self._app(scope, receive, _PageInstead(scope, receive, send).send)
        else:
            await self._app(scope, receive, send)


def _is_for_people(scope: Scope) -> bool:
    own = scope["path"] != "/api" and not scope["path"].startswith("/api/")
    return own and "text/html" in Headers(scope=scope).get("accept", "").lower()


class _PageInstead:
    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._scope, self._receive, self._send = scope, receive, send
        self._start: Message | None = None
        self._body = bytearray()

    async def send(self, message: Message) -> None:
        if (
            message["type"] == "http.response.start"
            and Headers(raw=message["headers"]).get("content-type") == MEDIA_TYPE
        ):
            self._start = message
        elif self._start is None:
            await self._send(message)
        else:
            self._body += message.get("body", b"")
            if not message.get("more_body", False):
                await self._answer(self._start)

    async def _answer(self, start: Message) -> None:
        problem: Mapping[str, Any] = json.loads(self._body)
        if problem["code"] == Unauthorized.code and self._scope["method"] == "GET":
            await RedirectResponse(login_address(self._scope), 303, HEADERS)(self._scope, self._receive, self._send)
            return
        kept = {
            name: value
            for name, value in Headers(raw=start["headers"]).items()
            if name in {"allow", "retry-after", "x-request-id"}
        }
        told = render(
            "failure",
            problem=problem,
            what_to_do=_WHAT_TO_DO.get(problem["code"], _OTHERWISE),
            request_id=kept.get("x-request-id"),
            path=self._scope["path"],
            signing=None,
        )
        answer = HTMLResponse(told, start["status"], {**HEADERS, **kept})
        await answer(self._scope, self._receive, self._send)
