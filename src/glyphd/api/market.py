"""The edge of `GET /api/report`: what is asked, and in which form the answer is wanted."""

from typing import Any

from fastapi import Request, Response
from pydantic import Field

from glyphd.api.schemas import ImportName, Moment, Parameters, Price, Text
from glyphd.domain.market_report import MarketReport, ReportFormat
from glyphd.services.context import Context
from glyphd.services.reporting_market import read_query, write_market_report


class MarketReportParameters(Parameters):
    """What a market report is about, and its form."""

    import_id: ImportName | None = Field(None, description="Report on this import's own rows, as it was when it came.")
    as_of: Moment | None = Field(None, description="The view of batches observed until then; the current one without.")
    source: Text | None = Field(None, description="Only this source's part of the view.")
    budget: Price | None = Field(None, description="USD: the best offers that cost no more; some steps without.")
    format: ReportFormat | None = Field(None, description="The form; without it, what `Accept` prefers, else JSON.")


_TEXT = {"schema": {"type": "string"}}
MARKET_RESPONSE: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The report; equal bytes as long as what it is about is the same.",
        "model": MarketReport,
        "content": {"text/markdown": _TEXT, "text/html": _TEXT},
    }
}

_SELF_CONTAINED = {
    "Vary": "Accept",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'",
}


def market_answer(request: Request, context: Context, parameters: MarketReportParameters) -> Response:
    """Answer a market report in the form that is wanted. Raises as :func:`write_market_report`."""
    query = read_query(parameters.model_dump(exclude={"format"}))
    form = parameters.format or preferred_form(request.headers.get("accept", ""))
    return Response(write_market_report(context, query, form), 200, _SELF_CONTAINED, form.media_type)


def preferred_form(accept: str) -> ReportFormat:
    """Return the form that an `Accept` header (RFC 9110 12.5.1) wants most; JSON where it does not say."""
    wanted = dict.fromkeys(ReportFormat, 0.0)
    for part in accept.lower().split(","):
        name, *parameters = (word.strip() for word in part.split(";"))
        for form in ReportFormat:
            if name == form.media_type.partition(";")[0]:
                wanted[form] = max(wanted[form], _weight(parameters))
    best = max(ReportFormat, key=lambda form: wanted[form])
    return best if wanted[best] > 0 else ReportFormat.JSON


def _weight(parameters: list[str]) -> float:
    """Return a q-value, which has at most three digits; 1 where there is none that can be read."""
    found = next((word[2:] for word in parameters if word.startswith("q=")), "1")
    return (
        float(found)
        if found.isascii() and found.replace(".", "", 1).isdecimal() and len(found) <= len("0.999")
        else 1.0
    )
