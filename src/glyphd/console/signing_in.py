"""Signing in, where the server has an access token: whoever gives it to the login page gets a signed cookie."""

import re
from urllib.parse import urlencode

from fastapi import Depends, Request, Response
from starlette.types import Scope

from glyphd.api.access import COOKIE, LOGIN, SESSION_SECONDS, Access
from glyphd.console.queries import path_of
from glyphd.errors import Unauthorized

_OWN_ADDRESS = re.compile(r"/(?![/\\])[\x21-\x7e]*")


def access_of(request: Request) -> Access:
    """Return what the installation asks for."""
    access: Access = request.app.state.access
    return access


def signing(request: Request) -> str | None:
    """Return what the way to the login page is called; None where there is nothing to sign in to."""
    access = access_of(request)
    if access.token is None:
        return None
    return "Sign out" if access.is_signed_in(request) else "Sign in"


def sign_in(request: Request, answer: Response) -> None:
    """Let the browser keep a session."""
    secure = request.url.scheme == "https"
    session = access_of(request).session()
    answer.set_cookie(COOKIE, session, max_age=SESSION_SECONDS, httponly=True, samesite="lax", secure=secure)


def sign_out(answer: Response) -> None:
    """Let the browser forget its session."""
    answer.delete_cookie(COOKIE, httponly=True, samesite="lax")


def login_address(scope: Scope) -> str:
    """Return the address of the login page that leads back to where a request wanted to go."""
    query = scope["query_string"].decode("ascii", "replace")
    wanted = path_of(scope) + (f"?{query}" if query else "")
    return f"{LOGIN}?{urlencode({'next': wanted})}"


def own_address(given: str) -> str:
    """Return where to go on: an address of this server, and the first page for any other."""
    return given if _OWN_ADDRESS.fullmatch(given) else "/"


def _signed_in(request: Request) -> None:
    access = access_of(request)
    if access.token is not None and not access.is_signed_in(request):
        raise Unauthorized("This page is for who is signed in.")


SIGNED_IN = Depends(_signed_in)
"""For pages that are only there to write something."""
