"""The market report."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from glyphd.api.market import MARKET_RESPONSE, MarketReportParameters, market_answer
from glyphd.api.problems import declare
from glyphd.api.requests import ServiceContext
from glyphd.errors import IllegalTransition, ImportNotFound, InvalidParameter

router = APIRouter(prefix="/api", tags=["market"])


@router.get(
    "/report",
    response_class=Response,
    responses={**MARKET_RESPONSE, **declare(ImportNotFound, IllegalTransition, InvalidParameter)},
)
def get_market_report(
    request: Request, context: ServiceContext, parameters: Annotated[MarketReportParameters, Query()]
) -> Response:
    """Report on the market: of one import, as it was when it came, or of the current view, or that as of a moment."""
    return market_answer(request, context, parameters)
