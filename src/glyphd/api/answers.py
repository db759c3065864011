"""From what services return to what the HTTP API answers."""

import base64
import re
from collections.abc import Generator, Sequence
from html import escape
from typing import Any, TypeVar
from urllib.parse import quote

import msgspec
from fastapi import Request, Response
from fastapi.responses import FileResponse, HTMLResponse

from glyphd.api.paging import encode_cursor, link_to_next
from glyphd.api.problems import STATUS_OF_KIND
from glyphd.api.schemas import ImportParameters, ListingParameters, ModelParameters, Page
from glyphd.api.streaming import StreamedFile
from glyphd.domain.imports import ImportFilters
from glyphd.domain.listing import FIELDS, fields_of
from glyphd.domain.report import ExportFormat, ImportEvent, ModelSummary
from glyphd.errors import InvalidParameter, RangeNotSatisfiable, RouteNotFound, problem_types
from glyphd.services.browsing import ListingPage, ListingQuery
from glyphd.services.inspecting import StoredArtifact, told
from glyphd.services.options import parse_members, parse_moment, parse_schema_version
from glyphd.services.surveying import Market
from glyphd.store.events import Event

T = TypeVar("T")


def page(request: Request, response: Response, items: Sequence[T], *position: int) -> Page[T]:
    """Answer one page of a collection; ``position`` is where it ended, nothing on the last page."""
    cursor = encode_cursor(*position) if position else None
    response.headers.update(link_to_next(request, cursor))
    return Page(items=list(items), next=cursor)


def events_page(request: Request, response: Response, found: Sequence[Event], limit: int) -> Page[ImportEvent]:
    """Answer events; one more than ``limit`` was asked for, to know whether there are more."""
    last = [found[limit - 1].id] if len(found) > limit else []
    return page(request, response, list(map(told, found[:limit])), *last)


def import_filters(parameters: ImportParameters) -> ImportFilters:
    """Read the filters of `GET /api/imports`."""
    return ImportFilters(
        source=parameters.source,
        parent_import_id=parameters.parent_import_id,
        campaign_id=parameters.campaign_id,
        metadata=parse_members("metadata", parameters.metadata) if parameters.metadata else {},
        statuses=parameters.status,
        visible=parameters.visible,
        since=parse_moment("since", parameters.since) if parameters.since else None,
        until=parse_moment("until", parameters.until) if parameters.until else None,
        sort=parameters.sort,
    )


def listing_query(parameters: ListingParameters) -> ListingQuery:
    """Read the filters of `GET /api/listings`. Raises InvalidParameter for a range that nothing can be in."""
    given: dict[str, Any] = parameters.model_dump(exclude={"limit", "offset", "cursor", "schema_version", "format"})
    for name in ("after", "before", "as_of"):
        given[name] = parse_moment(name, given[name]) if given[name] else None
    for low, high in (("min_price", "max_price"), ("min_score", "max_score"), ("after", "before")):
        if given[low] is not None and given[high] is not None and given[low] > given[high]:
            raise InvalidParameter(f"{low} is above {high}.", parameter=low)
    if parameters.offset and parameters.cursor:
        raise InvalidParameter("offset and cursor are two ways of paging: give one of them.", parameter="offset")
    if parameters.import_id and (parameters.current or parameters.as_of):
        detail = "import_id names one import, current and as_of a view of all sources: give one of them."
        raise InvalidParameter(detail, parameter="import_id")
    return ListingQuery(**given)


def listings_array(request: Request, found: ListingPage, schema_version: str | None) -> Response:
    """Answer listings as a bare array; the cursor is in `Link` only.

    With a schema version the fields that it does not have are left out. Raises UnsupportedSchemaVersion.
    """
    left_out = fields_left_out(schema_version)
    items = [{name: value for name, value in row.items() if name not in left_out} for row in found.items]
    headers = link_to_next(
        request, encode_cursor(found.last.ledger_id, found.last.import_index) if found.last else None
    )
    return Response(msgspec.json.encode(items), 200, headers, "application/json")


def fields_left_out(schema_version: str | None) -> set[str]:
    """Return the fields that a schema version does not have; none without one. Raises UnsupportedSchemaVersion."""
    if schema_version is None:
        return set()
    kept = fields_of(parse_schema_version("schema_version", schema_version))
    return {field.name for field in FIELDS} - {field.name for field in kept}


def market(parameters: ModelParameters) -> Market:
    """Read which market is meant."""
    as_of = parse_moment("as_of", parameters.as_of) if parameters.as_of else None
    return Market(as_of, parameters.source)


def models_array(request: Request, response: Response, found: Sequence[ModelSummary], limit: int) -> list[ModelSummary]:
    """Answer models as a bare array; one more than ``limit`` was asked for, to know whether there are more."""
    cursor = encode_cursor(found[limit - 1].model) if len(found) > limit else None
    response.headers.update(link_to_next(request, cursor))
    return list(found[:limit])


def export_download(form: ExportFormat, portions: Generator[bytes, None, None], name: str) -> Response:
    """Answer a file as it is made; ``name`` is without suffix."""
    headers = {"Content-Disposition": _attachment(f"{name}.{form}"), "X-Content-Type-Options": "nosniff"}
    return StreamedFile(portions, headers, form.media_type)


def artifact_download(request: Request, stored: StoredArtifact) -> Response:
    """Answer the bytes of an artifact, or one range of them, with the digest of the whole (RFC 9530).

    Raises RangeNotSatisfiable.
    """
    artifact = stored.artifact
    digest = base64.b64encode(bytes.fromhex(artifact.sha256)).decode()
    headers = {
        "Content-Disposition": _attachment(artifact.filename or artifact.sha256),
        "Repr-Digest": f"sha-256=:{digest}:",
        "ETag": f'"{artifact.sha256}"',
        "X-Content-Type-Options": "nosniff",
    }
    _settle_range(request, artifact.bytes, headers["ETag"])
    return FileResponse(stored.path, headers=headers, media_type=artifact.media_type)


def _settle_range(request: Request, size: int, etag: str) -> None:
    """Drop a `Range` that is to be ignored (RFC 9110 14.2): malformed, several, or of another state of the file."""
    asked = re.fullmatch(r"bytes=([0-9]{0,18})-([0-9]{0,18})", request.headers.get("range", "").replace(" ", ""))
    first, last = asked.groups() if asked else ("", "")
    wrong_way = bool(first and last) and int(last) < int(first)
    if not (first or last) or wrong_way or request.headers.get("if-range", etag) != etag:
        request.scope["headers"] = [header for header in request.scope["headers"] if header[0] != b"range"]
    elif not size or (int(first) >= size if first else int(last) == 0):
        raise RangeNotSatisfiable(f"The artifact has {size} bytes.", bytes=size)


def _attachment(filename: str) -> str:
    return f"attachment; filename*=utf-8''{quote(filename, safe='')}"


def problem_page(code: str) -> Response:
    """Answer what a problem type means. Raises RouteNotFound."""
    kind = problem_types().get(code)
    if kind is None:
        raise RouteNotFound(f"There is no problem type {code!r}.")
    title, status = escape(kind.title()), STATUS_OF_KIND[kind.kind]
    return HTMLResponse(
        f"<!doctype html><html lang=en><meta charset=utf-8><title>{title}</title>"
        f"<h1>{title}</h1><p>Problem <code>{code}</code>, HTTP status {status}. "
        "The <code>detail</code> of a problem says what was found in its case.</p></html>"
    )
