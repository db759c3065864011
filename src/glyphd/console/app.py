"""The server's application: the HTTP API, and the console above it."""

from fastapi import FastAPI

from glyphd.api.app import create_app as create_api
from glyphd.console.failures import FailurePages
from glyphd.console.pages import STATIC_FILES
from glyphd.console.routes import actions, diff, imports, listings, login, market, overview, report, upload
from glyphd.services.context import Context
from glyphd.settings import Settings


def create_app(settings: Settings | None = None, context: Context | None = None) -> FastAPI:
    """Build the application as the API does, with the console's pages; they are no part of the OpenAPI document."""
    app = create_api(settings, context)
    for module in (login, overview, upload, imports, actions, diff, market, listings, report):
        app.include_router(module.router, include_in_schema=False)
    app.mount("/static", STATIC_FILES)
    app.add_middleware(FailurePages)
    return app
