"""What changed from one import to another."""

from typing import Any

from fastapi import APIRouter, Request, Response

from glyphd.api.comparing import DiffParameters
from glyphd.api.paging import encode_cursor, number_of
from glyphd.api.requests import ImportId, ServiceContext
from glyphd.console.pages import page
from glyphd.console.queries import address_with, read_query
from glyphd.domain.diff import Change, DiffSort
from glyphd.services import comparing

router = APIRouter(prefix="/imports/{import_id}/diff")


@router.get("")
def get_diff(request: Request, context: ServiceContext, import_id: ImportId) -> Response:
    """Show the figures first, then the models and the offers that changed."""
    asked = read_query(request, DiffParameters)
    offset, filters = max(0, number_of(asked.cursor) or 0), asked.filters()
    found, more = comparing.compare_imports(
        context, import_id, asked.against, filters, limit=asked.limit, offset=offset
    )
    further = address_with(request, cursor=encode_cursor(offset + asked.limit)) if more else None
    values: dict[str, Any] = {"changes": list(Change), "sorts": list(DiffSort), "further": further}
    return page(request, "diff", diff=found, asked=asked, **values)
