"""The market: its models, and the prices of one through time."""

from fastapi import APIRouter, Request, Response

from glyphd.api import answers
from glyphd.api.history import HistoryParameters, ModelName
from glyphd.api.paging import encode_cursor, name_of, place_of
from glyphd.api.requests import ServiceContext
from glyphd.api.schemas import ModelParameters
from glyphd.console.pages import page
from glyphd.console.queries import address_with, read_query
from glyphd.domain.history import Bucket
from glyphd.rendering.charts import history_chart
from glyphd.services import surveying
from glyphd.services.charting import PricePage, chart_prices
from glyphd.services.context import Context
from glyphd.services.periods import read_period

router = APIRouter(prefix="/models")

MODELS_SHOWN = 200


@router.get("")
def get_models(request: Request, context: ServiceContext) -> Response:
    """List the models of the market that is asked for, by name."""
    asked = read_query(request, ModelParameters)
    limit = min(asked.limit, MODELS_SHOWN)
    found = surveying.survey_models(context, answers.market(asked), limit=limit + 1, after=name_of(asked.cursor))
    further = address_with(request, cursor=encode_cursor(found[limit - 1].model)) if len(found) > limit else None
    sources = surveying.name_sources(context)
    return page(request, "models", models=found[:limit], asked=asked, further=further, sources=sources)


@router.get("/{model:path}")
def get_model(request: Request, context: ServiceContext, model: ModelName) -> Response:
    """Show the prices of one model through time."""
    asked = read_query(request, HistoryParameters)
    found = _prices(context, model, asked)
    chart = history_chart(found.items) if found.items else None
    further = address_with(request, cursor=encode_cursor(*found.last)) if found.last else None
    buckets = list(Bucket)
    return page(request, "model", model=model, asked=asked, found=found, chart=chart, further=further, buckets=buckets)


def _prices(context: Context, model: str, asked: HistoryParameters) -> PricePage:
    period = read_period(since=asked.since, until=asked.until, source=asked.source, as_of=asked.as_of)
    return chart_prices(context, model, asked.bucket, period, limit=asked.limit, after=place_of(asked.cursor))
