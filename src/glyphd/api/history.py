"""Prices through time at the edge: what may be asked, and what is answered."""

from typing import Annotated

import msgspec
from fastapi import Path, Request, Response
from pydantic import Field

from glyphd.api.paging import encode_cursor, link_to_next, move_place_of, place_of
from glyphd.api.schemas import Cursor, Limit, Moment, Page, PageParameters, Parameters, Text
from glyphd.domain.history import Bucket, ModelHistory, Sighting
from glyphd.domain.identity import listing_key_from_hex
from glyphd.services.charting import chart_prices
from glyphd.services.context import Context
from glyphd.services.following import follow_listing, follow_moves, read_query
from glyphd.services.periods import read_period

_CURSOR = "Where the page before ended; from `next` or `Link`."

ModelName = Annotated[
    str,
    Path(
        description="The model; case, spaces, `-` and `_` do not count.",
        min_length=1,
        max_length=256,
        pattern=r"^[^\x00]*$",
        examples=["A100_40GB_PCIE"],
    ),
]
ListingKey = Annotated[
    str,
    Path(
        description="The offer's `listing_key`: 16 hex digits.",
        pattern="^[0-9a-f]{16}$",
        examples=["3f9a1c0d52e7b846"],
    ),
]


class HistoryParameters(Parameters):
    """Of what prices are summed up, and by what."""

    bucket: Bucket = Field(Bucket.DAY, description="`import`: by batch; else by the calendar, in UTC.")
    since: Moment | None = Field(None, description="Batches observed at or after this moment (ISO 8601).")
    until: Moment | None = Field(None, description="Batches observed before this moment (ISO 8601).")
    source: Text | None = Field(None, description="Only batches of this source.")
    as_of: Moment | None = Field(None, description="Only batches observed until then, that moment included.")
    limit: Limit = Field(1000, description="Buckets a page.")
    cursor: Cursor | None = Field(None, description=_CURSOR)


class DeltaParameters(Parameters):
    """Which moves."""

    model: Text | None = Field(None, description="Exact, but for case, spaces, `-` and `_`.")
    source: Text | None = Field(None, description="Only this source.")
    region: Text | None = Field(None, description="Exact; that of the later sighting.")
    min_price_change_pct: Annotated[float, Field(ge=0, le=1e12, allow_inf_nan=False)] | None = Field(
        None, description="Only prices that moved by so many percent or more, up or down."
    )
    since: Moment | None = Field(None, description="Moves seen at or after this moment (ISO 8601).")
    until: Moment | None = Field(None, description="Moves seen before this moment (ISO 8601).")
    limit: Limit = Field(100, description="Moves a page.")
    cursor: Cursor | None = Field(None, description=_CURSOR)


def model_history(request: Request, context: Context, model: str, asked: HistoryParameters) -> Response:
    """Answer the prices of a model through time. Raises InvalidParameter."""
    period = read_period(since=asked.since, until=asked.until, source=asked.source, as_of=asked.as_of)
    found = chart_prices(context, model, asked.bucket, period, limit=asked.limit, after=place_of(asked.cursor))
    cursor = found.last and encode_cursor(*found.last)
    answer = ModelHistory(model, found.names, asked.bucket, found.items, cursor)
    return Response(msgspec.json.encode(answer), 200, link_to_next(request, cursor), "application/json")


def listing_history(
    request: Request, response: Response, context: Context, listing_key: str, asked: PageParameters
) -> Page[Sighting]:
    """Answer the sightings of one offer. Raises InvalidParameter."""
    key, after = listing_key_from_hex(listing_key), place_of(asked.cursor)
    found, last = follow_listing(context, key, limit=asked.limit, after=after)
    cursor = last and encode_cursor(*last)
    response.headers.update(link_to_next(request, cursor))
    return Page(items=found, next=cursor)


def deltas(request: Request, response: Response, context: Context, asked: DeltaParameters) -> Page[Sighting]:
    """Answer moves. Raises InvalidParameter."""
    query = read_query(**asked.model_dump(exclude={"limit", "cursor"}))
    found, last = follow_moves(context, query, limit=asked.limit, after=move_place_of(asked.cursor))
    cursor = last and encode_cursor(*last)
    response.headers.update(link_to_next(request, cursor))
    return Page(items=found, next=cursor)
