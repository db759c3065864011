"""Lineage: from where a figure is."""

from typing import Annotated

from fastapi import APIRouter, Path

from glyphd.api.problems import declare
from glyphd.api.requests import ImportId, ImportIndex, ServiceContext
from glyphd.domain.lineage import Lineage
from glyphd.errors import ImportNotFound, InvalidParameter, ListingNotFound
from glyphd.services import explaining

router = APIRouter(prefix="/api", tags=["lineage"])

NamedListing = Annotated[
    str,
    Path(
        description="A listing_key (16 hex digits: its newest visible sighting), or a listing's row number (`id`).",
        min_length=1,
        max_length=128,
        examples=["1f3a5c7e9b2d4f60"],
    ),
]


@router.get(
    "/listings/{import_id}/{import_index}/lineage",
    responses=declare(ImportNotFound, ListingNotFound, InvalidParameter),
)
def get_lineage(context: ServiceContext, import_id: ImportId, import_index: ImportIndex) -> Lineage:
    """Explain one record: its file, its bytes, how each field was read, other sightings of the offer, what happened."""
    return explaining.explain_listing(context, import_id, import_index)


@router.get("/listings/{listing}/lineage", responses=declare(ListingNotFound, InvalidParameter))
def get_lineage_of_listing(context: ServiceContext, listing: NamedListing) -> Lineage:
    """Explain a listing that is named by itself; the answer is as by its import and import_index."""
    return explaining.explain_listing(context, *explaining.find_record(context, listing))
