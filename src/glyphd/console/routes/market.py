"""The market: its models, and one of them: its prices through time, and what there is of it now."""

from typing import Any

from fastapi import APIRouter, Request, Response
from pydantic import Field

from glyphd.api import answers
from glyphd.api.history import HistoryParameters, ModelName
from glyphd.api.paging import encode_cursor, number_of, place_of
from glyphd.api.requests import ServiceContext
from glyphd.api.schemas import ModelParameters, Text
from glyphd.console.coming import coming
from glyphd.console.pages import page
from glyphd.console.queries import read_query, sort_links, ways_on
from glyphd.domain.history import Bucket
from glyphd.rendering.charts import history_chart
from glyphd.services import surveying
from glyphd.services.charting import chart_prices
from glyphd.services.context import Context
from glyphd.services.offering import offer_model
from glyphd.services.periods import Period, read_period
from glyphd.services.retractions import retracted_prices
from glyphd.services.surveying import Market
from glyphd.services.watching import WatchSort, count_merged, watch_market

router = APIRouter(prefix="/models")


class WatchParameters(ModelParameters):
    """Which models, of which market, in what order."""

    q: Text | None = Field(None, description="What is in the names of the models.")
    sort: WatchSort = Field(WatchSort.NAME, description="In what order.")
    limit: int = Field(100, ge=1, le=200, description="Models a page.")


@router.get("")
def get_models(request: Request, context: ServiceContext) -> Response:
    """List the models of the market that is asked for."""
    asked = read_query(request, WatchParameters)
    market, offset = answers.market(asked), number_of(asked.cursor) or 0
    values: dict[str, Any] = {"asked": asked, "sources": surveying.name_sources(context)}
    if later := coming(request, count_merged(context, market)):
        return page(request, "models", coming=later, **values)
    models, total = watch_market(context, market, asked.sort, named=asked.q or "", limit=asked.limit, offset=offset)
    ways = ways_on(request, encode_cursor(offset + asked.limit) if total > offset + asked.limit else None)
    sorts = sort_links(request, WatchSort, asked.sort)
    return page(request, "models", coming=None, models=models, total=total, ways=ways, sorts=sorts, **values)


@router.get("/{model:path}")
def get_model(request: Request, context: ServiceContext, model: ModelName) -> Response:
    """Show the prices of one model through time, and what there is of it in the view that is asked for."""
    asked = read_query(request, HistoryParameters)
    period = read_period(since=asked.since, until=asked.until, source=asked.source, as_of=asked.as_of)
    offers = offer_model(context, model, Market(period.as_of, asked.source))
    values = {"asked": asked, "offers": offers, "buckets": list(Bucket), **_prices(request, context, model, period)}
    return page(request, "model", model=model, **values)


def _prices(request: Request, context: Context, model: str, period: Period) -> dict[str, Any]:
    asked = read_query(request, HistoryParameters)
    found = chart_prices(context, model, asked.bucket, period, limit=asked.limit, after=place_of(asked.cursor))
    retracted = retracted_prices(context, model, period)
    ways = ways_on(request, encode_cursor(*found.last) if found.last else None)
    chart = history_chart(found.items, retracted) if found.items else None
    return {"found": found, "retracted": retracted, "chart": chart, "ways": ways}
