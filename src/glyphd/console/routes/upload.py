"""Import a file: it is checked first, and imported once a person has seen what would come of it."""

from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import RedirectResponse

from glyphd.api.requests import ServerSettings, ServiceContext
from glyphd.console import rejects
from glyphd.console.form_tokens import read_form
from glyphd.console.pages import page
from glyphd.console.queries import read_query
from glyphd.console.receipts import redirect
from glyphd.console.routes.actions import ACTOR
from glyphd.console.signing_in import SIGNED_IN
from glyphd.console.uploads import MOST_FILES, UploadParameters, confirm_upload, receive_upload
from glyphd.domain.report import ImportReport
from glyphd.services.confirming import drop_upload, find_upload
from glyphd.services.reporting import report_import
from glyphd.services.surveying import name_sources

router = APIRouter(prefix="/imports/new")


@router.get("", dependencies=[SIGNED_IN])
def get_form(request: Request, context: ServiceContext) -> Response:
    """Show the form."""
    asked, sources = read_query(request, UploadParameters), name_sources(context)
    return page(request, "upload", asked=asked, sources=sources, most_files=MOST_FILES)


@router.post("")
async def post_upload(request: Request, context: ServiceContext, settings: ServerSettings) -> Response:
    """Check the files, and show what would come of them; nothing is imported."""
    return RedirectResponse(f"/imports/new/{await receive_upload(request, context, settings)}", 303)


@router.get("/{upload_id}", dependencies=[SIGNED_IN])
def get_upload(request: Request, context: ServiceContext, upload_id: str) -> Response:
    """Show what would come of files that wait; once they are imported, what came of them."""
    upload = find_upload(context, upload_id)
    if upload.import_ids:
        return _to_imports([report_import(context, import_id) for import_id in upload.import_ids])
    groups = [rejects.by_code(file.report) if file.report else [] for file in upload.files]
    return page(request, "confirm", upload_id=upload_id, upload=upload, groups=groups)


@router.post("/{upload_id}/import", dependencies=[Depends(read_form)])
async def post_confirmation(request: Request, context: ServiceContext, upload_id: str) -> Response:
    """Import the files, and go to their imports."""
    return _to_imports(await confirm_upload(request, context, upload_id, ACTOR))


@router.post("/{upload_id}/drop", dependencies=[Depends(read_form)])
def post_refusal(context: ServiceContext, upload_id: str) -> Response:
    """Forget the files."""
    drop_upload(context, upload_id)
    return RedirectResponse("/imports/new", 303)


def _to_imports(reports: list[ImportReport]) -> Response:
    """Go to the page of an import; of several, to the list that begins with them."""
    if len(reports) == 1:
        return redirect(reports[0].import_id, [])
    first = min(report.imported_at for report in reports)
    return RedirectResponse(f"/imports?{urlencode({'source': reports[0].source, 'since': first.isoformat()})}", 303)
