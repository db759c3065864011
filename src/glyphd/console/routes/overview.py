"""The first page."""

from fastapi import APIRouter, Request, Response

from glyphd.api.requests import ServiceContext
from glyphd.console.pages import page
from glyphd.services.overseeing import oversee

router = APIRouter()


@router.get("/")
def get_overview(request: Request, context: ServiceContext) -> Response:
    """Show what waits for a decision, what runs now, and how each source is."""
    return page(request, "overview", seen=oversee(context))
