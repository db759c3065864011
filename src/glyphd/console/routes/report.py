"""The market report: of an import, or of a view of the market as of a moment; to read here, to print, or to pass on."""

from typing import Any

from fastapi import APIRouter, Request, Response

from glyphd.api.market import MarketReportParameters
from glyphd.api.requests import ServiceContext
from glyphd.console.coming import coming
from glyphd.console.pages import page
from glyphd.console.queries import address_of, read_query
from glyphd.domain.market_report import ReportFormat
from glyphd.rendering.market_report import render_figures, title_of
from glyphd.services.context import Context
from glyphd.services.reporting_market import count_rows
from glyphd.services.reporting_market import read_query as read_market
from glyphd.services.reporting_market import report_market
from glyphd.services.surveying import name_sources

router = APIRouter(prefix="/report")

_ABOUT = ("import_id", "as_of", "source", "budget")


@router.get("")
def get_report(request: Request, context: ServiceContext) -> Response:
    """Report on what is asked for; on the current view of the market, if nothing is."""
    asked = read_query(request, MarketReportParameters)
    values: dict[str, Any] = {"asked": asked, "sources": name_sources(context), "files": _files(request)}
    return page(request, "report", **values, **_reported(request, context, asked))


def _reported(request: Request, context: Context, asked: MarketReportParameters) -> dict[str, Any]:
    query = read_market(asked.model_dump(exclude={"format"}))
    if later := coming(request, count_rows(context, query)):
        return {"title": "Market report", "coming": later, "figures": None}
    report = report_market(context, query)
    return {"title": title_of(report), "coming": None, "figures": render_figures(report, linked=True)}


def _files(request: Request) -> dict[ReportFormat, str]:
    """Return where the same report is as a file of each format."""
    same = [(name, value) for name, value in request.query_params.items() if name in _ABOUT]
    return {form: address_of("/api/report", *same, ("format", form)) for form in ReportFormat}
