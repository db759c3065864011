"""Forms that only this server's own pages can send: a random token in a cookie, and the same in the form.

Another site can make a browser send a form, and with it the cookie; it can neither read the cookie nor set it. Nothing
is kept on the server, so that any of its processes can check.
"""

import hmac
import re
import secrets
from typing import Annotated
from urllib.parse import parse_qsl

from fastapi import Depends, Request, Response

from glyphd.errors import BodyTooLarge, FormExpired

COOKIE = "glyphd_form"
FIELD = "form_token"
FORM_BYTES = 16 * 1024
_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")


def token_of(request: Request) -> str:
    """Return the token that the browser has, or a new one."""
    given = request.cookies.get(COOKIE, "")
    return given if _TOKEN.fullmatch(given) else secrets.token_urlsafe(32)


def give(request: Request, answer: Response, token: str) -> None:
    """Let the browser keep the token, if it has another one or none."""
    if request.cookies.get(COOKIE) != token:
        secure = request.url.scheme == "https"
        answer.set_cookie(COOKIE, token, httponly=True, samesite="lax", secure=secure)


def check(request: Request, given: str) -> None:
    """Refuse a form whose token is not the browser's. Raises FormExpired."""
    kept = request.cookies.get(COOKIE, "")
    if not _TOKEN.fullmatch(kept) or not hmac.compare_digest(kept.encode(), given.encode()):
        raise FormExpired("The form carries no token, or not the one that this browser was given.")


async def read_form(request: Request) -> dict[str, str]:
    """Return the fields of a form whose token is the browser's. Raises FormExpired, BodyTooLarge."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > FORM_BYTES:
            raise BodyTooLarge(f"The form has more than {FORM_BYTES} bytes.", limit=FORM_BYTES)
    fields = dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))
    check(request, fields.pop(FIELD, ""))
    return fields


CheckedForm = Annotated[dict[str, str], Depends(read_form)]
"""The fields of a form whose token is the browser's."""
