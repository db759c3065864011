"""Pages: templates that escape everything, under a policy that lets nothing in from elsewhere."""

from hashlib import sha256
from pathlib import Path
from typing import Any

from fastapi import Request, Response
from fastapi.responses import HTMLResponse
from fastapi.staticfiles import StaticFiles
from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.types import Scope

from glyphd import __version__
from glyphd.console import form_tokens, formatting
from glyphd.console.signing_in import signing
from glyphd.rendering.plain_text import plain_line

STATIC_FOLDER = Path(__file__).parent / "static"

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
}


class _StaticFiles(StaticFiles):
    """Files of the package: their addresses carry a digest of their bytes, so that a browser may keep them."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Answer a file."""
        answer = await super().get_response(path, scope)
        answer.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        answer.headers["X-Content-Type-Options"] = "nosniff"
        return answer


STATIC_FILES = _StaticFiles(directory=STATIC_FOLDER)


def _static(name: str) -> str:
    return f"/static/{name}?v={sha256((STATIC_FOLDER / name).read_bytes()).hexdigest()[:12]}"


def _environment() -> Environment:
    loader = PackageLoader("glyphd.console")
    environment = Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {**formatting.FILTERS, "plain": plain_line}
    addresses = {path.stem: _static(path.name) for path in STATIC_FOLDER.iterdir()}
    environment.globals |= {"addresses": addresses, "version": __version__}
    return environment


_ENVIRONMENT = _environment()


def render(template: str, **values: Any) -> str:
    """Render a template of the console."""
    return _ENVIRONMENT.get_template(f"{template}.html.j2").render(values)


def page(request: Request, template: str, status: int = 200, **values: Any) -> Response:
    """Answer a page; ``form_token`` is there for its forms, and the browser gets the cookie that goes with it."""
    token = form_tokens.token_of(request)
    known = {"form_token": token, "path": request.url.path, "signing": signing(request), "origin": request.base_url}
    query = request.query_params.multi_items()
    answer = HTMLResponse(render(template, **known, query=query, **values), status, HEADERS)
    form_tokens.give(request, answer, token)
    return answer
