"""Listings: what matches, and from where one of them is."""

from fastapi import APIRouter, Request, Response

from glyphd.api import answers
from glyphd.api.paging import encode_cursor, position_of
from glyphd.api.requests import ImportId, ImportIndex, ServiceContext
from glyphd.api.schemas import ListingParameters
from glyphd.console.coming import BYTES, is_whole, whole_address
from glyphd.console.pages import page
from glyphd.console.queries import read_query, ways_on
from glyphd.services import browsing, explaining

router = APIRouter(prefix="/listings")


@router.get("")
def get_listings(request: Request, context: ServiceContext) -> Response:
    """List the listings that match, newest import first."""
    asked = read_query(request, ListingParameters)
    query, after = answers.listing_query(asked), position_of(asked.cursor)
    found = browsing.browse_listings(context, query, limit=asked.limit, offset=asked.offset, after=after)
    cursor = encode_cursor(found.last.ledger_id, found.last.import_index) if found.last else None
    return page(request, "listings", rows=found.items, asked=asked, ways=ways_on(request, cursor))


@router.get("/{import_id}/{import_index}")
def get_listing(request: Request, context: ServiceContext, import_id: ImportId, import_index: ImportIndex) -> Response:
    """Show from which file and record a row is, how it was read, and where else the offer was seen."""
    most_bytes = None if is_whole(request) else BYTES
    found = explaining.explain_listing(context, import_id, import_index, most_bytes=most_bytes)
    later = whole_address(request) if found.raw_missing == explaining.NOT_READ else None
    return page(request, "listing", lineage=found, coming=later)
