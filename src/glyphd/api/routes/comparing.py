"""What changed from one import to another."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from glyphd.api import comparing
from glyphd.api.comparing import DiffParameters
from glyphd.api.problems import declare
from glyphd.api.requests import ImportId, ServiceContext
from glyphd.domain.diff import Diff
from glyphd.domain.report import ExportFormat
from glyphd.errors import IllegalTransition, ImportNotFound, InvalidParameter

router = APIRouter(prefix="/api", tags=["lineage"])

_FILES = {form.media_type.partition(";")[0]: {"schema": {"type": "string"}} for form in ExportFormat}


@router.get(
    "/imports/{import_id}/diff",
    response_model=Diff,
    responses={200: {"content": _FILES}, **declare(ImportNotFound, IllegalTransition, InvalidParameter)},
)
def get_diff(
    request: Request,
    response: Response,
    context: ServiceContext,
    import_id: ImportId,
    parameters: Annotated[DiffParameters, Query()],
) -> Diff | Response:
    """Compare an import with an earlier one: what appeared, disappeared, and moved."""
    return comparing.compare(request, response, context, import_id, parameters)
