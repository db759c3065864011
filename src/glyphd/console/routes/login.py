"""The login page."""

import structlog
from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from glyphd.api.access import LOGIN
from glyphd.console import signing_in
from glyphd.console.form_tokens import CheckedForm
from glyphd.console.pages import page

router = APIRouter(prefix=LOGIN)

_log = structlog.get_logger()


@router.get("")
def get_login(request: Request, next: str = "/") -> Response:  # noqa: A002 - what it is called everywhere
    """Ask for the access token, or offer to sign out."""
    return page(request, "login", onward=signing_in.own_address(next), refused=False)


@router.post("")
def post_login(request: Request, form: CheckedForm) -> Response:
    """Sign in with the access token, and go on to where the browser wanted to."""
    onward = signing_in.own_address(form.get("next", "/"))
    if not signing_in.access_of(request).is_token(form.get("token", "").strip()):
        _log.warning("login.refused", client=request.client and request.client.host)
        return page(request, "login", 401, onward=onward, refused=True)
    answer = RedirectResponse(onward, 303)
    signing_in.sign_in(request, answer)
    return answer


@router.post("/out")
def post_logout(form: CheckedForm) -> Response:  # noqa: ARG001 - it is checked
    """Sign out."""
    answer = RedirectResponse(LOGIN, 303)
    signing_in.sign_out(answer)
    return answer
