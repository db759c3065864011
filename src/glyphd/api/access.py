"""Who may do what where an access token is set: writes need it, and reads too if so set (ADR 0034).

A client sends the token itself. A browser sends it once, to the console, and keeps a signed cookie instead: that is
good for reads, and for the console's forms, which another site cannot send; the API's writes take the token only.
"""

import hmac
from dataclasses import dataclass
from typing import Self

from itsdangerous import BadSignature, TimestampSigner
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Receive, Scope, Send

from glyphd.api.problems import problem_response
from glyphd.errors import Unauthorized
from glyphd.settings import Settings

COOKIE = "glyphd_session"
SESSION_SECONDS = 12 * 60 * 60
LOGIN = "/login"
_OPEN = ("/livez", "/readyz", "/api/health", "/static/", LOGIN)
_READS = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(frozen=True, slots=True)
class Access:
    """The token of an installation, if it has one, and what needs it."""

    token: str | None
    guards_reads: bool

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """Return what is set."""
        token = settings.api_token
        return cls(token.get_secret_value() if token else None, settings.guard_reads)

    def admits(self, request: HTTPConnection) -> bool:
        """Tell whether a request may be answered."""
        path, is_read = request.url.path, request.scope["method"] in _READS
        if self.token is None or path.startswith(_OPEN) or (is_read and not self.guards_reads):
            return True
        by_form = path != "/api" and not path.startswith("/api/")
        return self._has_token(request) or ((is_read or by_form) and self.is_signed_in(request))

    def is_signed_in(self, request: HTTPConnection) -> bool:
        """Tell whether a browser was given its session by whoever knows the token, and not too long ago."""
        if self.token is None:
            return False
        try:
            self._signer().unsign(request.cookies.get(COOKIE, ""), max_age=SESSION_SECONDS)
        except BadSignature:
            return False
        return True

    def is_token(self, given: str) -> bool:
        """Tell whether this is the token; that takes as long wherever the two differ."""
        return self.token is not None and hmac.compare_digest(given.encode(), self.token.encode())

    def session(self) -> str:
        """Return what a browser keeps. Whoever changes the token ends all sessions."""
        return self._signer().sign("signed in").decode()

    def _signer(self) -> TimestampSigner:
        return TimestampSigner(self.token or "", salt=COOKIE)

    def _has_token(self, request: HTTPConnection) -> bool:
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        return scheme.lower() == "bearer" and self.is_token(given.strip())


class AccessGuard:
    """ASGI middleware: what may not be answered is refused before anything of its body is read."""

    def __init__(self, app: ASGIApp, access: Access) -> None:
        """Wrap an application."""
        self._app, self._access = app, access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or refuse it."""
        if scope["type"] != "http" or self._access.admits(HTTPConnection(scope)):
            await self._app(scope, receive, send)
            return
        refused = Unauthorized("The request carries no access token, or not that of this server.")
        await problem_response(refused, headers={"WWW-Authenticate": "Bearer"})(scope, receive, send)
