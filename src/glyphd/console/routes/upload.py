"""Import a file: look first at what would come of it, or import it at once."""

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import RedirectResponse

from glyphd.api.requests import ServerSettings, ServiceContext
from glyphd.console import rejects
from glyphd.console.pages import page
from glyphd.console.queries import read_query
from glyphd.console.receipts import redirect
from glyphd.console.routes.actions import ACTOR
from glyphd.console.signing_in import SIGNED_IN
from glyphd.console.uploads import UploadParameters, check_upload, import_upload
from glyphd.services.surveying import name_sources

router = APIRouter(prefix="/imports/new")


@router.get("", dependencies=[SIGNED_IN])
def get_upload(request: Request, context: ServiceContext) -> Response:
    """Show the form."""
    sources = name_sources(context)
    return page(request, "upload", asked=read_query(request, UploadParameters), sources=sources, checked=None)


@router.post("")
async def post_upload(request: Request, context: ServiceContext, settings: ServerSettings) -> Response:
    """Import the file, and go to its import."""
    return redirect(await import_upload(request, context, settings, ACTOR), [])


@router.get("/check")
def get_check() -> Response:
    """Lead back to the form whoever loads the page of a check again: its file is not here."""
    return RedirectResponse("/imports/new", 303)


@router.post("/check")
async def post_check(request: Request, context: ServiceContext, settings: ServerSettings) -> Response:
    """Show what would come of the file, and the form again; nothing is stored."""
    checked = await check_upload(request, context, settings)
    sources = await run_in_threadpool(name_sources, context)
    groups, asked = rejects.by_code(checked), UploadParameters()
    return page(request, "upload", asked=asked, sources=sources, checked=checked, groups=groups)
