"""An answer that is an error becomes the exception that the server raised."""

from collections.abc import Mapping
from typing import Any

import httpx
import msgspec

from glyphd.domain.imports import Status
from glyphd.domain.report import ImportReport
from glyphd.errors import (
    GlyphdError,
    ImportDiscarded,
    ServerUnreachable,
    UnexpectedAnswer,
    UnknownProblem,
    problem_types,
)

_PASSING = frozenset({429, 502, 503, 504})
_PASSING_CODES = frozenset({"idempotency_key_in_flight"})
_OF_PROXIES = frozenset({502, 503, 504})
_COUNTED = ("received", "count", "rejected", "errors")
_OWN_MEMBERS = frozenset({"type", "title", "detail", "code"})


def problem_of(answer: httpx.Response) -> GlyphdError:
    """Return an answer's problem: by its code, carrying `status`, `retry_after` (seconds) and its own members."""
    said = f"{answer.request.method} {answer.request.url} answered {answer.status_code} {answer.reason_phrase}"
    try:
        body = msgspec.json.decode(answer.content, type=dict[str, Any])
        code, detail = str(body["code"]), str(body["detail"])
    except (msgspec.MsgspecError, KeyError, ValueError):
        kind = ServerUnreachable if answer.status_code in _OF_PROXIES else UnexpectedAnswer
        return kind(f"{said}, not in a way that glyphd does.", status=answer.status_code)
    members = {name: value for name, value in body.items() if name not in _OWN_MEMBERS}
    members["status"] = answer.status_code
    if (seconds := answer.headers.get("Retry-After", "")).isdecimal():
        members["retry_after"] = int(seconds)
    return _problem(code, detail, members)


def _problem(code: str, detail: str, members: Mapping[str, Any]) -> GlyphdError:
    known = problem_types().get(code)
    return known(detail, **members) if known else UnknownProblem(code, detail, **members)


def is_passing(exc: BaseException) -> bool:
    """Tell whether the same request may be answered a little later."""
    if isinstance(exc, ServerUnreachable):
        return True
    return isinstance(exc, GlyphdError) and (exc.status in _PASSING or exc.code in _PASSING_CODES)


def failure_of(report: ImportReport) -> GlyphdError | None:
    """Return why an import did not come to rows, as its answer would have raised it; None when it did, or still may."""
    named: dict[str, Any] = {"import_id": report.import_id}
    if report.status is Status.DISCARDED:
        return ImportDiscarded("The import was discarded while it waited or ran.", **named)
    if report.status is not Status.FAILED or report.failure is None:
        return None
    members = {name: value for name, value in report.failure.items() if name not in _OWN_MEMBERS}
    counted = {name: msgspec.to_builtins(getattr(report, name)) for name in _COUNTED}
    return _problem(report.failure["code"], report.failure["detail"], {**members, **counted, **named})
