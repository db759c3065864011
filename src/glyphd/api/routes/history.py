"""Prices through time: of a model, of one offer, and what moved."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from glyphd.api import history
from glyphd.api.history import DeltaParameters, HistoryParameters, ListingKey, ModelName
from glyphd.api.problems import declare
from glyphd.api.requests import ServiceContext
from glyphd.api.schemas import Page, PageParameters
from glyphd.domain.history import ModelHistory, Sighting
from glyphd.errors import InvalidParameter

router = APIRouter(prefix="/api", tags=["history"], responses=declare(InvalidParameter))


@router.get("/models/{model:path}/history", response_model=ModelHistory)
def get_model_history(
    request: Request, context: ServiceContext, model: ModelName, parameters: Annotated[HistoryParameters, Query()]
) -> Response:
    """Show the prices of a model through time, oldest first, from the first to the last bucket that has it."""
    return history.model_history(request, context, model, parameters)


@router.get("/listings/{listing_key}/history")
def get_listing_history(
    request: Request,
    response: Response,
    context: ServiceContext,
    listing_key: ListingKey,
    parameters: Annotated[PageParameters, Query()],
) -> Page[Sighting]:
    """List every sighting of one offer in published imports, newest first, with what moved since the one before."""
    return history.listing_history(request, response, context, listing_key, parameters)


@router.get("/deltas")
def get_deltas(
    request: Request, response: Response, context: ServiceContext, parameters: Annotated[DeltaParameters, Query()]
) -> Page[Sighting]:
    """List price and score moves between successive sightings of one offer in one source, newest first.

    They are derived from the batches as they are asked for: a page may have fewer of them than `limit`, or none, and
    not be the last one; the last one has no `next`.
    """
    return history.deltas(request, response, context, parameters)
