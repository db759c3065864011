"""The difference of two imports at the edge: its parameters, its pages, its files."""

from dataclasses import replace
from typing import Annotated

from fastapi import Request, Response
from pydantic import Field

from glyphd.api import answers
from glyphd.api.paging import encode_cursor, link_to_next, number_of
from glyphd.api.schemas import ImportName, PageParameters, Text
from glyphd.domain.diff import Change, Diff, DiffFilters, DiffSort
from glyphd.domain.report import ExportFormat
from glyphd.services import comparing
from glyphd.services.context import Context


class DiffParameters(PageParameters):
    """What an import is compared with, and which rows are told."""

    against: ImportName | None = Field(None, description="The earlier import; by default the previous of the source.")
    change: list[Change] = Field(
        [], description="Only these changes; may be repeated. All but `unchanged` by default.", max_length=6
    )
    model: Text | None = Field(None, description="Exact, but for case, spaces, `-` and `_`.")
    min_price_change_pct: Annotated[float, Field(ge=0, le=1e12, allow_inf_nan=False)] | None = Field(
        None, description="Only prices that moved by so much, up or down, in % of the earlier price."
    )
    sort: DiffSort = Field(
        DiffSort.MOVE,
        description="`move`: the widest first; `-price_change_pct`, `price_change_pct`: rises or falls first; `model`.",
    )
    format: Annotated[str, Field(pattern="^(json|csv|ndjson|parquet)$")] = Field(
        "json", description="`csv`, `ndjson`, `parquet`: all the rows that match, as a file."
    )

    def filters(self) -> DiffFilters:
        """Return which rows are told."""
        return DiffFilters(self.change, self.model, self.min_price_change_pct, self.sort)


def compare(
    request: Request, response: Response, context: Context, import_id: str, parameters: DiffParameters
) -> Diff | Response:
    """Answer a page of a difference, or all of its rows as a file. They never change: a cursor counts them."""
    filters = parameters.filters()
    if parameters.format != "json":
        form = ExportFormat(parameters.format)
        portions = comparing.export_diff(context, import_id, parameters.against, filters, form)
        return answers.export_download(form, portions, f"diff-{import_id}")
    offset, limit = number_of(parameters.cursor) or 0, parameters.limit
    found, more = comparing.compare_imports(
        context, import_id, parameters.against, filters, limit=limit, offset=max(0, offset)
    )
    cursor = encode_cursor(offset + limit) if more else None
    response.headers.update(link_to_next(request, cursor))
    return replace(found, next=cursor)
