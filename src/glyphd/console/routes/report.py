"""The market report: a page that stands alone, to print or to pass on."""

from fastapi import APIRouter, Request, Response

from glyphd.api.market import MarketReportParameters, market_answer
from glyphd.api.requests import ServiceContext
from glyphd.console.pages import page
from glyphd.console.queries import read_query
from glyphd.domain.market_report import ReportFormat
from glyphd.services.surveying import name_sources

router = APIRouter(prefix="/report")


@router.get("")
def get_report(request: Request, context: ServiceContext) -> Response:
    """Ask what to report on, or report on it."""
    asked = read_query(request, MarketReportParameters)
    if asked.format is None and asked.import_id is None and asked.as_of is None:
        return page(request, "report", sources=name_sources(context))
    return market_answer(request, context, asked.model_copy(update={"format": asked.format or ReportFormat.HTML}))
