"""Every error of the HTTP API is RFC 9457 `application/problem+json`, whoever raises it."""

import json
import re
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict
from starlette.exceptions import HTTPException

from glyphd import errors
from glyphd.errors import GlyphdError, Kind

MEDIA_TYPE = "application/problem+json"

STATUS_OF_KIND: dict[Kind, int] = {
    Kind.SYNTAX: 400,
    Kind.UNAUTHENTICATED: 401,
    Kind.FORBIDDEN: 403,
    Kind.NOT_FOUND: 404,
    Kind.NOT_ALLOWED: 405,
    Kind.CONFLICT: 409,
    Kind.TOO_LARGE: 413,
    Kind.UNSUPPORTED: 415,
    Kind.UNSATISFIABLE: 416,
    Kind.INVALID: 422,
    Kind.BUSY: 429,
    Kind.FAULT: 500,
    Kind.UNAVAILABLE: 503,
    Kind.NO_SPACE: 507,
}
RETRY_AFTER_SECONDS = {429: "5", 503: "5", 507: "60"}
_SOON = {errors.IdempotencyKeyInFlight.code: "1"}

_SURROGATE = re.compile("[\ud800-\udfff]")


class Problem(BaseModel):
    """What went wrong, after RFC 9457. `code` is stable; further members depend on it."""

    model_config = ConfigDict(extra="allow")

    type: str
    title: str
    status: int
    detail: str
    code: str


def problem_response(
    exc: GlyphdError, *, members: Mapping[str, Any] | None = None, headers: Mapping[str, str] | None = None
) -> Response:
    """Answer a failure, with members that this answer adds."""
    status = STATUS_OF_KIND[exc.kind]
    own = {
        "type": f"/problems/{exc.code}",
        "title": exc.title(),
        "status": status,
        "detail": exc.detail,
        "code": exc.code,
    }
    body = {**own, **exc.members, **(members or {}), **own}  # own members first, and never overwritten
    after = _SOON.get(exc.code) or RETRY_AFTER_SECONDS.get(status)
    retry = {"Retry-After": after} if after else {}
    return Response(_encoded(body), status, {**retry, **(headers or {})}, MEDIA_TYPE)


def _encoded(body: Mapping[str, Any]) -> bytes:
    """Encode a problem; a lone surrogate, which UTF-8 cannot carry, is shown as its escape."""
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    return _SURROGATE.sub(lambda found: rf"\\u{ord(found[0]):04x}", text).encode()


def declare(*problems: type[GlyphdError], schema: str = "Problem") -> dict[int | str, dict[str, Any]]:
    """Declare the problems that an operation answers, by status, for the OpenAPI document."""
    by_status: dict[int, list[type[GlyphdError]]] = {}
    for problem in problems:
        by_status.setdefault(STATUS_OF_KIND[problem.kind], []).append(problem)
    return {status: _declared(status, found, schema) for status, found in by_status.items()}


def _declared(status: int, problems: Sequence[type[GlyphdError]], schema: str) -> dict[str, Any]:
    reference = {"$ref": f"#/components/schemas/{schema}"}
    examples = {
        problem.code: {
            "summary": problem.title(),
            "value": {
                "type": f"/problems/{problem.code}",
                "title": problem.title(),
                "status": status,
                "detail": f"{problem.title()}.",
                "code": problem.code,
            },
        }
        for problem in problems
    }
    said = "; ".join(f"{problem.title()} (`{problem.code}`)" for problem in problems)
    return {
        "description": f"{HTTPStatus(status).phrase}. {said}.",
        "content": {MEDIA_TYPE: {"schema": reference, "examples": examples}},
    }


def install(app: FastAPI) -> None:
    """Answer every kind of exception as a problem."""
    app.add_exception_handler(GlyphdError, _on_glyphd_error)
    app.add_exception_handler(RequestValidationError, _on_invalid_request)
    app.add_exception_handler(HTTPException, _on_http_exception)


async def _on_glyphd_error(_request: Request, exc: Exception) -> Response:
    assert isinstance(exc, GlyphdError)  # noqa: S101 - Starlette's signature is wider than its promise
    whole = {"Content-Range": f"bytes */{exc.members['bytes']}"} if isinstance(exc, errors.RangeNotSatisfiable) else {}
    return problem_response(exc, headers=whole)


async def _on_invalid_request(_request: Request, exc: Exception) -> Response:
    assert isinstance(exc, RequestValidationError)  # noqa: S101 - the signature is wider than the promise, as above
    faults = [
        {"in": str(fault["loc"][0]), "parameter": ".".join(map(str, fault["loc"][1:])), "message": fault["msg"]}
        for fault in exc.errors()
    ]
    if any(fault["type"] == "json_invalid" for fault in exc.errors()):
        return problem_response(errors.MalformedRequest(faults[0]["message"]))
    return problem_response(errors.InvalidParameter(_sentence(faults), faults=faults))


def _sentence(faults: Sequence[Mapping[str, str]]) -> str:
    return "; ".join(f"{fault['parameter'] or fault['in']}: {fault['message']}" for fault in faults)


async def _on_http_exception(request: Request, exc: Exception) -> Response:
    assert isinstance(exc, HTTPException)  # noqa: S101 - the signature is wider than the promise, as above
    if exc.status_code == HTTPStatus.NOT_FOUND:
        problem: GlyphdError = errors.RouteNotFound(f"There is nothing at {request.url.path}.")
    elif exc.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        problem = errors.MethodNotAllowed(f"{request.url.path} does not take {request.method}.")
    else:
        problem = errors.MalformedRequest(str(exc.detail))
    return problem_response(problem, headers=exc.headers)
