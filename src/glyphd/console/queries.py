"""What is asked in the address of a page: the parameters of the API, as a form sends them."""

from typing import Any, TypeVar, get_origin
from urllib.parse import urlencode

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ValidationError

P = TypeVar("P", bound=BaseModel)


def read_query(request: Request, parameters: type[P]) -> P:
    """Return the query of a request; fields that were left empty are not there.

    Raises RequestValidationError, as the API does for the same values.
    """
    given: dict[str, Any] = {}
    for name, value in request.query_params.multi_items():
        if value.strip():
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
    """Return the address of the same page with other values in its query."""
    kept = [(name, value) for name, value in request.query_params.multi_items() if value and name not in changed]
    return f"{request.url.path}?{urlencode([*kept, *changed.items()])}"
