"""What changed from one import to another."""

from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from glyphd.api.comparing import DiffParameters
from glyphd.api.paging import encode_cursor, number_of
from glyphd.api.requests import ImportId, ServiceContext
from glyphd.api.schemas import ImportName, Parameters
from glyphd.console.coming import coming
from glyphd.console.formatting import segment
from glyphd.console.pages import page
from glyphd.console.queries import address_of, read_query, ways_on
from glyphd.domain.diff import Change, DiffSort
from glyphd.domain.imports import HOLDING_ROWS, ImportFilters
from glyphd.domain.report import ImportReport
from glyphd.services import comparing
from glyphd.services.context import Context
from glyphd.services.reporting import report_imports

router = APIRouter()

CHOICES = 50


class ComparedParameters(Parameters):
    """Which imports are compared."""

    import_id: ImportName | None = None
    against: ImportName | None = None


@router.get("/diff")
def get_choice(request: Request, context: ServiceContext) -> Response:
    """Let two imports be chosen, and go to what changed from one to the other."""
    asked = read_query(request, ComparedParameters)
    if asked.import_id is None:
        return page(request, "compare", choices=_choices(context))
    return RedirectResponse(
        address_of(f"/imports/{segment(asked.import_id)}/diff", ("against", asked.against or "")), 303
    )


@router.get("/imports/{import_id}/diff")
def get_diff(request: Request, context: ServiceContext, import_id: ImportId) -> Response:
    """Show the figures first, then the offers and the models that changed."""
    asked = read_query(request, DiffParameters)
    base, target = comparing.find_compared(context, import_id, asked.against)
    values: dict[str, Any] = {"asked": asked, "base": base, "target": target, "choices": _choices(context)}
    if later := coming(request, base.count + target.count):
        return page(request, "diff", coming=later, **values)
    return page(request, "diff", coming=None, **values, **_compared(request, context, import_id, asked))


def _compared(request: Request, context: Context, import_id: str, asked: DiffParameters) -> dict[str, Any]:
    offset, filters = max(0, number_of(asked.cursor) or 0), asked.filters()
    found, more = comparing.compare_imports(
        context, import_id, asked.against, filters, limit=asked.limit, offset=offset
    )
    ways = ways_on(request, encode_cursor(offset + asked.limit) if more else None)
    return {"diff": found, "ways": ways, "changes": list(Change), "sorts": list(DiffSort)}


def _choices(context: Context) -> list[ImportReport]:
    """Return the newest imports that can be compared."""
    return report_imports(context, ImportFilters(statuses=tuple(sorted(HOLDING_ROWS))), limit=CHOICES)[0]
