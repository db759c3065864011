"""The answer to `POST /api/import`: wait for the outcome a while, then say where it will be."""

import asyncio
import time
from collections.abc import Sequence
from functools import partial
from typing import Any

from anyio import CapacityLimiter, to_thread
from fastapi import Request, Response
from pydantic import TypeAdapter

from glyphd.api.pipeline_run import receive_pipeline_run
from glyphd.api.problems import problem_response
from glyphd.api.schemas import ReplayParameters
from glyphd.api.threads import threads_of
from glyphd.api.uploads import ReadOptions, receive_submission
from glyphd.domain.imports import PENDING, Artifact, Status
from glyphd.domain.report import ImportReport
from glyphd.errors import GlyphdError, ImportDiscarded, UnexpectedFailure, problem_types
from glyphd.services.context import Context
from glyphd.services.options import ImportOptions, parse_options
from glyphd.services.placing import read_options
from glyphd.services.receiving import check_queue, receive_import
from glyphd.services.replaying import replay_import
from glyphd.services.reporting import is_pending, report_import
from glyphd.settings import Settings

_FIRST_PAUSE, _LONGEST_PAUSE = 0.02, 0.25
_REPORT = TypeAdapter(ImportReport)
_CARRIED = ("import_id", "received", "count", "rejected", "errors", "error_counts", "errors_truncated", "links")


async def import_batch(request: Request, context: Context, settings: Settings, actor: str) -> Response:
    """Receive one batch and answer with its report: 201 finished, 202 not yet, a problem when it failed."""
    await to_thread.run_sync(check_queue, context, limiter=threads_of(request).uploads)
    read = await options_reader(request, context)
    artifact, options = await receive_submission(request, context.artifacts, settings, read)
    return await receive_and_answer(request, context, settings, actor, (options, [artifact]))


async def import_pipeline_run(request: Request, context: Context, settings: Settings, actor: str) -> Response:
    """Receive the files of one pipeline run, or their paths, and answer as :func:`import_batch` does."""
    await to_thread.run_sync(check_queue, context, limiter=threads_of(request).uploads)
    run = await receive_pipeline_run(request, context, settings)
    return await receive_and_answer(request, context, settings, actor, run)


async def receive_and_answer(
    request: Request, context: Context, settings: Settings, actor: str, batch: tuple[ImportOptions, Sequence[Artifact]]
) -> Response:
    """Write the import of a batch whose bytes are durable, and answer with its outcome or its state."""
    threads = threads_of(request)
    import_id = await to_thread.run_sync(
        receive_import, context, *batch, actor, request.state.request_id, limiter=threads.uploads
    )
    return await answer_import(request, context, settings, import_id)


async def answer_import(request: Request, context: Context, settings: Settings, import_id: str) -> Response:
    """Answer for an import that is on the ledger: wait for its outcome a while."""
    request.state.import_id = import_id
    return answer(await _await_outcome(context, import_id, settings.wait_seconds, threads_of(request).outcomes))


async def replay_batch(
    request: Request,
    context: Context,
    settings: Settings,
    import_id: str,
    actor: str,
    reason: str | None,
    parameters: ReplayParameters,
) -> Response:
    """Import a batch again and answer as for an import."""
    given = parameters.model_dump(exclude_none=True)
    options = parse_options(given, now=context.clock())
    version = options.schema_version if "schema_version" in given else None
    replay = partial(replay_import, context, import_id, actor, reason, publish=options.publish, schema_version=version)
    replay_id = await to_thread.run_sync(replay, limiter=threads_of(request).uploads)
    return await answer_import(request, context, settings, replay_id)


async def options_reader(request: Request, context: Context) -> ReadOptions:
    """Return what reads the options of a body beside those of the query, which are refused before a body is read."""
    query = [{name: value} for name, value in request.query_params.multi_items()]
    read = partial(read_options, context, *query)
    await to_thread.run_sync(read, limiter=threads_of(request).uploads)
    return read


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
