"""Imports: the list of them, and what became of one."""

from functools import partial
from typing import Any
from uuid import uuid4

from fastapi import APIRouter, Request, Response

from glyphd.api import answers
from glyphd.api.paging import encode_cursor, import_place_of, number_of
from glyphd.api.requests import ImportId, ServiceContext
from glyphd.api.schemas import ImportParameters
from glyphd.console import receipts, rejects
from glyphd.console.pages import page
from glyphd.console.queries import read_query, sort_links, ways_on
from glyphd.console.rejects import RejectionParameters
from glyphd.console.signing_in import SIGNED_IN
from glyphd.domain.imports import ImportSort, Status
from glyphd.domain.report import ImportReport
from glyphd.services import discarding, inspecting, reporting, rolling_back, surveying
from glyphd.services.context import Context

router = APIRouter()

EVENTS_SHOWN = 200


@router.get("/imports")
def get_imports(request: Request, context: ServiceContext) -> Response:
    """List imports, newest first unless another order is asked for."""
    asked = read_query(request, ImportParameters)
    filters, after = answers.import_filters(asked), import_place_of(asked.cursor)
    reports, last = reporting.report_imports(context, filters, limit=asked.limit, after=after)
    ways = ways_on(request, encode_cursor(*last) if last else None)
    values: dict[str, Any] = {"sources": surveying.name_sources(context), "statuses": list(Status), "ways": ways}
    return page(
        request, "imports", reports=reports, asked=asked, sorts=sort_links(request, ImportSort, asked.sort), **values
    )


@router.get("/imports/{import_id}")
def get_import(request: Request, context: ServiceContext, import_id: ImportId) -> Response:
    """Show what became of one import, and what can be done with it."""
    report, told = reporting.report_import(context, import_id), receipts.told(request)
    answer = page(request, "import", report=report, told=told, **_beside(context, report))
    receipts.forget(answer, import_id, told)
    return answer


@router.get("/imports/{import_id}/rejections")
def get_rejections(request: Request, context: ServiceContext, import_id: ImportId) -> Response:
    """Show the records that were not stored, those that are sought."""
    asked, report = read_query(request, RejectionParameters), reporting.report_import(context, import_id)
    after, search = number_of(asked.cursor) or 0, partial(inspecting.search_rejections, context, import_id)
    found, last = search(asked.code, asked.q, limit=asked.limit, after_index=after)
    ways = ways_on(request, None if last is None else encode_cursor(last))
    return page(request, "rejections", report=report, asked=asked, found=found, ways=ways)


@router.get("/imports/{import_id}/discard", dependencies=[SIGNED_IN])
def get_discard(request: Request, context: ServiceContext, import_id: ImportId) -> Response:
    """Say exactly what discarding the import would do, and ask for a reason. Raises IllegalTransition."""
    report = discarding.foresee_discard(context, import_id)
    return page(request, "discard", report=report)


@router.get("/imports/{import_id}/rollback", dependencies=[SIGNED_IN])
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
        "idempotency_key": uuid4().hex,
        "actions": inspecting.inspect_possible(context, report.import_id),
    }
