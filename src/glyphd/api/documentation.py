"""The page on which every call can be read and tried: Swagger UI, all of it from this server (ADR 0043)."""

from pathlib import Path

import fastapi_offline
from fastapi import FastAPI
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import HTMLResponse
from fastapi.staticfiles import StaticFiles

PAGE = "/api/docs"
_FILES = f"{PAGE}/files"


def install(app: FastAPI) -> None:
    """Serve the page, and what it is made of, which a package carries."""
    page = get_swagger_ui_html(
        openapi_url=app.openapi_url or "",
        title=f"{app.title}: HTTP API",
        swagger_js_url=f"{_FILES}/swagger-ui-bundle.js",
        swagger_css_url=f"{_FILES}/swagger-ui.css",
        swagger_favicon_url=f"{_FILES}/favicon.png",
    )

    def get_page() -> HTMLResponse:
        return page

    app.add_api_route(PAGE, get_page, include_in_schema=False)
    app.mount(_FILES, StaticFiles(directory=Path(fastapi_offline.__file__).parent / "static"))
