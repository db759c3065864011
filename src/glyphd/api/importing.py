"""The answer to `POST /api/import`: wait for the outcome a while, then say where it will be."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from anyio import CapacityLimiter, to_thread
from fastapi import Request, Response
from pydantic import TypeAdapter

from glyphd.api.admission import Admission, admitted
from glyphd.api.idempotency import key_headers
from glyphd.api.pipeline_run import receive_pipeline_run
from glyphd.api.preferences import read_preferences
from glyphd.api.problems import problem_response
from glyphd.api.schemas import ReplayParameters
from glyphd.api.threads import threads_of
from glyphd.api.uploads import ReadOptions, receive_submission
from glyphd.domain.imports import PENDING, Artifact, Status
from glyphd.domain.report import ImportReport
from glyphd.errors import GlyphdError, ImportDiscarded, UnexpectedFailure, problem_types
from glyphd.services.context import Context
from glyphd.services.idempotency import KeyClaim
from glyphd.services.options import ImportOptions, parse_options
from glyphd.services.receiving import receive_import
from glyphd.services.replaying import replay_import
from glyphd.services.reporting import is_pending, report_import
from glyphd.settings import Settings

_FIRST_PAUSE, _LONGEST_PAUSE = 0.02, 0.25
_LONGEST_RETRY = 60
_REPORT = TypeAdapter(ImportReport)
_CARRIED = ("import_id", "received", "count", "rejected", "errors", "error_counts", "errors_truncated", "links")


async def import_batch(request: Request, context: Context, settings: Settings, actor: str) -> Response:
    """Receive one batch and answer with its report: 201 finished, 202 not yet, a problem when it failed."""
    async with admitted(request, context) as admission:
        read = await options_reader(request, admission.read_options)
        artifact, options = await receive_submission(request, admission.context.artifacts, settings, read)
        import_id = await _receive(request, admission, actor, options, [artifact])
    return await _answer_for(request, context, settings, import_id, admission.claim)


async def import_pipeline_run(request: Request, context: Context, settings: Settings, actor: str) -> Response:
    """Receive the files of one pipeline run, or their paths, and answer as :func:`import_batch` does."""
    async with admitted(request, context) as admission:
        store, read = admission.context.artifacts, admission.read_options
        options, stored = await receive_pipeline_run(request, store, settings, read)
        import_id = await _receive(request, admission, actor, options, stored)
    return await _answer_for(request, context, settings, import_id, admission.claim)


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
    async with admitted(request, context) as admission:
        write = partial(replay, claim=admission.claim)
        replay_id = await to_thread.run_sync(write, limiter=threads_of(request).uploads)
    return await _answer_for(request, context, settings, replay_id, admission.claim)


async def options_reader(request: Request, read_options: Callable[..., ImportOptions]) -> ReadOptions:
    """Return what reads the options of a body beside those of the query, which are refused before a body is read."""
    query = [{name: value} for name, value in request.query_params.multi_items()]
    read = partial(read_options, *query)
    await to_thread.run_sync(read, limiter=threads_of(request).uploads)
    return read


async def _receive(
    request: Request, admission: Admission, actor: str, options: ImportOptions, stored: Sequence[Artifact]
) -> str:
    receive = partial(receive_import, admission.context, options, stored, actor, claim=admission.claim)
    return await to_thread.run_sync(receive, request.state.request_id, limiter=threads_of(request).uploads)


async def _answer_for(
    request: Request, context: Context, settings: Settings, import_id: str, claim: KeyClaim | None
) -> Response:
    """Answer for an import that is on the ledger: wait for its outcome a while."""
    request.state.import_id = import_id
    preferences, most = read_preferences(request), settings.wait_seconds
    report = await await_outcome(context, import_id, preferences.seconds(most), threads_of(request).outcomes)
    said = preferences.applied(most, pending=report.status in PENDING)
    return answer(report, {**said, **await key_headers(request, context, claim)})


async def await_outcome(
    context: Context, import_id: str, wait_seconds: float, threads: CapacityLimiter
) -> ImportReport:
    """Return the report of an import once it is finished, or as it is when the time is over."""
    deadline, pause = time.monotonic() + wait_seconds, _FIRST_PAUSE
    while await to_thread.run_sync(is_pending, context, import_id, limiter=threads) and time.monotonic() < deadline:
        await asyncio.sleep(pause)
        pause = min(pause * 1.5, _LONGEST_PAUSE)
    return await to_thread.run_sync(report_import, context, import_id, limiter=threads)


def answer(report: ImportReport, headers: Mapping[str, str]) -> Response:
    """Turn a report into the answer of the request that submitted the batch."""
    body: dict[str, Any] = _REPORT.dump_python(report, mode="json")
    if report.status in {Status.FAILED, Status.DISCARDED}:
        return problem_response(_failure(report), members={name: body[name] for name in _CARRIED}, headers=headers)
    status, place = 201, {"Location": report.links["self"]}
    if report.status in PENDING:
        status, place = 202, {**place, "Retry-After": str(_pause(report))}
    return Response(_REPORT.dump_json(report), status, {**place, **headers}, "application/json")


def _pause(report: ImportReport) -> int:
    """Return after how many seconds it is worth to ask again."""
    eta = report.progress.eta_seconds if report.progress else None
    return min(max(eta or 1, 1), _LONGEST_RETRY)


def _failure(report: ImportReport) -> GlyphdError:
    if report.failure is None:
        return ImportDiscarded("The import was discarded while it waited or ran.")
    members = {name: value for name, value in report.failure.items() if name not in {"code", "title", "detail"}}
    kind = problem_types().get(report.failure["code"], UnexpectedFailure)
    return kind(report.failure["detail"], **members)
