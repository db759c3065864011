"""Imports: the list of them, and what became of one."""

from typing import Any

from fastapi import APIRouter, Request, Response

from glyphd.api import answers
from glyphd.api.paging import encode_cursor, import_place_of
from glyphd.api.requests import ImportId, ServiceContext
from glyphd.api.schemas import ImportParameters
from glyphd.console import receipts, rejects
from glyphd.console.pages import page
from glyphd.console.queries import address_with, read_query, sort_links
from glyphd.domain.imports import Status
from glyphd.domain.report import ImportReport
from glyphd.services import inspecting, reporting, rolling_back, surveying
from glyphd.services.context import Context

router = APIRouter()

EVENTS_SHOWN = 200


@router.get("/imports")
def get_imports(request: Request, context: ServiceContext) -> Response:
    """List imports, newest first unless another order is asked for."""
    asked = read_query(request, ImportParameters)
    filters, after = answers.import_filters(asked), import_place_of(asked.cursor)
    reports, last = reporting.report_imports(context, filters, limit=asked.limit, after=after)
    ways = {"further": address_with(request, cursor=encode_cursor(*last)) if last else None}
    ways["first"] = address_with(request, cursor="") if asked.cursor else None
    values: dict[str, Any] = {"sources": surveying.name_sources(context), "statuses": list(Status), **ways}
    return page(request, "imports", reports=reports, asked=asked, sorts=sort_links(request, asked.sort), **values)


@router.get("/imports/{import_id}")
def get_import(request: Request, context: ServiceContext, import_id: ImportId) -> Response:
    """Show what became of one import, and what can be done with it."""
    report, told = reporting.report_import(context, import_id), receipts.told(request)
    answer = page(request, "import", report=report, told=told, **_beside(context, report))
    receipts.forget(answer, import_id, told)
    return answer


@router.get("/imports/{import_id}/rollback")
def get_rollback(request: Request, context: ServiceContext, import_id: ImportId) -> Response:
    """Say exactly what rolling the import back would do, and ask for a reason."""
    foreseen = rolling_back.foresee_roll_back(context, import_id)
    return page(request, "rollback", report=reporting.report_import(context, import_id), foreseen=foreseen)


def _beside(context: Context, report: ImportReport) -> dict[str, Any]:
    """Return what the page of an import shows beside its report."""
    return {
        "events": inspecting.inspect_events(context, report.import_id, limit=EVENTS_SHOWN),
        "columns": inspecting.inspect_columns(context, report.import_id),
        "groups": rejects.by_code(report),
        "actions": inspecting.inspect_possible(context, report.import_id),
    }
