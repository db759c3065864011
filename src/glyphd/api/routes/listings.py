"""Listings and models: bare arrays, as the clients that exist expect them."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from glyphd.api import answers, exporting
from glyphd.api.paging import name_of, position_of
from glyphd.api.problems import declare
from glyphd.api.requests import ServiceContext
from glyphd.api.schemas import Listing, ListingParameters, ModelParameters
from glyphd.domain.report import ModelSummary
from glyphd.errors import ImportNotFound, InvalidParameter, UnsupportedSchemaVersion
from glyphd.services import browsing, surveying

router = APIRouter(prefix="/api", tags=["listings"])


@router.get(
    "/listings",
    response_model=list[Listing],
    responses={
        **declare(ImportNotFound, InvalidParameter, UnsupportedSchemaVersion),
        200: {"content": exporting.FILES},
    },
)
def get_listings(
    request: Request, context: ServiceContext, parameters: Annotated[ListingParameters, Query()]
) -> Response:
    """List the listings of published imports: newest import first, then in the order of the batch."""
    if parameters.format != "json":
        return exporting.listings_file(context, parameters)
    query = answers.listing_query(parameters)
    after = position_of(parameters.cursor)
    page = browsing.browse_listings(context, query, limit=parameters.limit, offset=parameters.offset, after=after)
    return answers.listings_array(request, page, parameters.schema_version)


@router.get("/models", responses=declare(InvalidParameter))
def get_models(
    request: Request, response: Response, context: ServiceContext, parameters: Annotated[ModelParameters, Query()]
) -> list[ModelSummary]:
    """List the models of the current view (each source's latest published batch) with their prices, by name."""
    market, after = answers.market(parameters), name_of(parameters.cursor)
    found = surveying.survey_models(context, market, limit=parameters.limit + 1, after=after)
    return answers.models_array(request, response, found, parameters.limit)
