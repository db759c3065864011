"""What is asked in the address of a page: the parameters of the API, as a form sends them."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal, TypeVar, get_origin
from urllib.parse import quote, urlencode

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ValidationError
from starlette.types import Scope

P = TypeVar("P", bound=BaseModel)

WHOLE = "whole"
"""Asks for a page with all that is on it: see :mod:`glyphd.console.coming`."""


def read_query(request: Request, parameters: type[P]) -> P:
    """Return the query of a request; fields that were left empty are not there.

    Raises RequestValidationError, as the API does for the same values.
    """
    given: dict[str, Any] = {}
    for name, value in request.query_params.multi_items():
        if value.strip() and name != WHOLE:
            field = parameters.model_fields.get(name)
            several = field is not None and get_origin(field.annotation) is list
            given[name] = [*given.get(name, []), value] if several else value
    return validated(parameters, given, "query")


def validated(parameters: type[P], given: dict[str, Any], place: str) -> P:
    """Return what was given in a place as its shape. Raises RequestValidationError."""
    try:
        return parameters.model_validate(given)
    except ValidationError as exc:
        faults = exc.errors(include_url=False, include_input=False, include_context=False)
        raise RequestValidationError([{**fault, "loc": (place, *fault["loc"])} for fault in faults]) from exc


def address_with(request: Request, **changed: str) -> str:
    """Return the address of the same page with other values in its query; an empty one is left out."""
    dropped = {WHOLE, *changed}
    kept = [(name, value) for name, value in request.query_params.multi_items() if name not in dropped]
    return address_of(path_of(request.scope), *kept, *changed.items())


def path_of(scope: Scope) -> str:
    """Return the path of a request as it stands in an address, whatever it holds."""
    return quote(scope["path"], safe="/:@")


def address_of(path: str, *query: tuple[str, str]) -> str:
    """Return an address; what is empty of its query is left out."""
    given = urlencode([(name, value) for name, value in query if value])
    return f"{path}?{given}" if given else path


@dataclass(frozen=True, slots=True)
class Ways:
    """Where one gets from a page of a list: back to the first one, on to the next; None where there is no such way."""

    first: str | None
    further: str | None


def ways_on(request: Request, cursor: str | None) -> Ways:
    """Return the ways from this page, given where the next one begins; all else in the address stays."""
    first = address_with(request, cursor="", offset="") if request.query_params.get("cursor") else None
    return Ways(first, address_with(request, cursor=cursor, offset="") if cursor else None)


@dataclass(frozen=True, slots=True)
class SortLink:
    """Where a column's heading leads, and how the column is sorted now, in the words of `aria-sort`."""

    address: str
    order: Literal["ascending", "descending", "none"]


def sort_links(request: Request, sorts: Iterable[str], asked: str) -> dict[str, SortLink]:
    """Return the link of each column that can be sorted: the greatest first, and the other way if it is so already.

    ``sorts`` are the orders that there are, as the API has them: a column's name, behind a `-` the greatest first.
    """
    return {column: _sort_link(request, column, asked) for column in {sort.removeprefix("-") for sort in sorts}}


def _sort_link(request: Request, column: str, asked: str) -> SortLink:
    descends = asked == f"-{column}"
    address = address_with(request, sort=column if descends else f"-{column}", cursor="")
    return SortLink(address, "descending" if descends else "ascending" if asked == column else "none")
