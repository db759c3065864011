"""The HTTP application."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext

from fastapi import FastAPI

from glyphd import __version__
from glyphd.api import documentation, openapi, problems
from glyphd.api.access import Access, AccessGuard
from glyphd.api.request_log import RequestLog
from glyphd.api.routes import comparing, contract, health, history, imports, lineage, listings, market
from glyphd.api.threads import Threads
from glyphd.bootstrap import opened_context
from glyphd.logs import configure_logs
from glyphd.services.context import Context
from glyphd.settings import Settings


def create_app(settings: Settings | None = None, context: Context | None = None) -> FastAPI:
    """Build the application; without arguments from the environment, as the server's processes do.

    Its lifespan opens the database, and raises SchemaOutOfDate for one that is not at this version's revision.
    """
    settings = settings or Settings()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        configure_logs(settings.log_level)
        app.state.settings = settings
        app.state.threads = Threads()
        with nullcontext(context) if context else opened_context(settings) as app.state.context:
            yield

    app = FastAPI(
        title="glyphd",
        version=__version__,
        description="Receives scored GPU listings, checks every row, and remembers where each one came from.",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url="/api/openapi.json",
    )
    for module in (imports, listings, comparing, history, market, lineage, contract, health):
        app.include_router(module.router)
    app.state.access = Access.of(settings)
    app.add_middleware(AccessGuard, access=app.state.access)
    app.add_middleware(RequestLog)
    problems.install(app)
    openapi.install(app)
    documentation.install(app)
    return app
