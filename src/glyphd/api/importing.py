"""The answer to `POST /api/import`: wait for the outcome a while, then say where it will be."""

import asyncio
import time
from functools import partial
from typing import Any

from anyio import CapacityLimiter, to_thread
from fastapi import Request, Response
from pydantic import TypeAdapter

from glyphd.api.problems import problem_response
from glyphd.api.threads import threads_of
from glyphd.api.uploads import receive_submission
from glyphd.domain.imports import PENDING, Status
from glyphd.domain.report import ImportReport
from glyphd.errors import GlyphdError, ImportDiscarded, UnexpectedFailure, problem_types
from glyphd.services.context import Context
from glyphd.services.options import parse_options
from glyphd.services.receiving import check_queue, receive_import
from glyphd.services.reporting import is_pending, report_import
from glyphd.settings import Settings

_FIRST_PAUSE, _LONGEST_PAUSE = 0.02, 0.25
_REPORT = TypeAdapter(ImportReport)
_CARRIED = ("import_id", "received", "count", "rejected", "errors", "error_counts", "errors_truncated", "links")


async def import_batch(request: Request, context: Context, settings: Settings, actor: str) -> Response:
    """Receive one batch and answer with its report: 201 finished, 202 not yet, a problem when it failed."""
    threads = threads_of(request)
    await to_thread.run_sync(check_queue, context, limiter=threads.uploads)
    query = [{name: value} for name, value in request.query_params.multi_items()]
    read_options = partial(parse_options, *query, now=context.clock())
    read_options()  # refuse before the body is read
    artifact, options = await receive_submission(request, context.artifacts, settings, read_options)
    import_id = await to_thread.run_sync(
        receive_import, context, options, [artifact], actor, request.state.request_id, limiter=threads.uploads
    )
    request.state.import_id = import_id
    return answer(await _await_outcome(context, import_id, settings.wait_seconds, threads.outcomes))


async def _await_outcome(
    context: Context, import_id: str, wait_seconds: float, threads: CapacityLimiter
) -> ImportReport:
    deadline, pause = time.monotonic() + wait_seconds, _FIRST_PAUSE
    while await to_thread.run_sync(is_pending, context, import_id, limiter=threads) and time.monotonic() < deadline:
        await asyncio.sleep(pause)
        pause = min(pause * 1.5, _LONGEST_PAUSE)
    return await to_thread.run_sync(report_import, context, import_id, limiter=threads)


def answer(report: ImportReport) -> Response:
    """Turn a report into the answer of the request that submitted the batch."""
    body: dict[str, Any] = _REPORT.dump_python(report, mode="json")
    if report.status in {Status.FAILED, Status.DISCARDED}:
        return problem_response(_failure(report), members={name: body[name] for name in _CARRIED})
    status = 202 if report.status in PENDING else 201
    headers = {"Location": report.links["self"]}
    return Response(_REPORT.dump_json(report), status, headers, "application/json")


def _failure(report: ImportReport) -> GlyphdError:
    if report.failure is None:
        return ImportDiscarded("The import was discarded while it waited or ran.")
    members = {name: value for name, value in report.failure.items() if name not in {"code", "title", "detail"}}
    kind = problem_types().get(report.failure["code"], UnexpectedFailure)
    return kind(report.failure["detail"], **members)
