"""The answer to `POST /api/import/validate`: judged in a process of its own, since a big batch is seconds of work.

anyio keeps that process for the next batch, replaces one that died, and kills it when the client has gone.
"""

import asyncio
import os
from collections.abc import Awaitable, Callable, Sequence
from functools import partial

from anyio import BrokenWorkerProcess, CapacityLimiter, to_process, to_thread
from fastapi import Request, Response
from fastapi.concurrency import contextmanager_in_threadpool
from pydantic import TypeAdapter

from glyphd.api.importing import options_reader
from glyphd.api.pipeline_run import receive_pipeline_run
from glyphd.api.threads import threads_of
from glyphd.api.uploads import ReadOptions, receive_submission
from glyphd.artifacts.folder import ArtifactFolder
from glyphd.domain.imports import Artifact
from glyphd.domain.report import ValidationReport
from glyphd.errors import IncompleteBody, WorkerDied
from glyphd.services.context import Context
from glyphd.services.options import ImportOptions
from glyphd.services.placing import read_options
from glyphd.services.receiving import passing
from glyphd.services.rehearsing import Findings, Rehearsal, rehearse
from glyphd.services.validating import rehearsal_of, report_validation
from glyphd.settings import Settings
from glyphd.worker.supervisor import NICENESS

_REPORT = TypeAdapter(ValidationReport)
_Received = tuple[ImportOptions, Sequence[Artifact]]
Receive = Callable[[ArtifactFolder, ReadOptions], Awaitable[_Received]]
"""Receives a batch into a store."""


async def validate_batch(request: Request, context: Context, settings: Settings) -> Response:
    """Receive one batch as an import would be, and answer what would come of it."""

    async def receive(store: ArtifactFolder, read: ReadOptions) -> _Received:
        artifact, options = await receive_submission(request, store, settings, read)
        return options, [artifact]

    return await _validate(request, context, receive)


async def validate_pipeline_run(request: Request, context: Context, settings: Settings) -> Response:
    """Receive the files of one pipeline run, or their paths, and answer as :func:`validate_batch` does."""

    async def receive(store: ArtifactFolder, read: ReadOptions) -> _Received:
        return await receive_pipeline_run(request, store, settings, read)

    return await _validate(request, context, receive)


async def _validate(request: Request, context: Context, receive: Receive) -> Response:
    read = await options_reader(request, partial(read_options, context))
    report = await report_on(request, context, read, receive)
    return Response(_REPORT.dump_json(report), 200, media_type="application/json")


async def report_on(request: Request, context: Context, read: ReadOptions, receive: Receive) -> ValidationReport:
    """Receive a batch, report what would come of it, and keep nothing. Raises WorkerDied, IncompleteBody."""
    threads = threads_of(request)
    async with (
        contextmanager_in_threadpool(passing(context)) as own,
        contextmanager_in_threadpool(own.artifacts.scratch()) as spool,
    ):
        options, stored = await receive(own.artifacts, read)
        findings = await rehearsed(request, rehearsal_of(own, options, stored, spool))
        return await to_thread.run_sync(report_validation, own, options, stored, findings, limiter=threads.outcomes)


async def rehearsed(request: Request, rehearsal: Rehearsal) -> Findings:
    """Rehearse in another process, for as long as the client waits. Raises WorkerDied, IncompleteBody."""
    work = asyncio.create_task(_in_process(rehearsal, threads_of(request).validations))
    gone = asyncio.create_task(_until_gone(request))
    try:
        await asyncio.wait({work, gone}, return_when=asyncio.FIRST_COMPLETED)
        if not work.done():
            raise IncompleteBody("The client went away while its batch was validated.")
        return work.result()
    except BrokenWorkerProcess as exc:
        raise WorkerDied("The process that validated the batch ended without an outcome.") from exc
    finally:
        work.cancel()
        gone.cancel()
        await asyncio.gather(work, gone, return_exceptions=True)  # the process has ended before its files go


async def _in_process(rehearsal: Rehearsal, limiter: CapacityLimiter) -> Findings:
    async with limiter:
        await asyncio.shield(to_process.run_sync(os.getpid))  # anyio forgets a process whose start is cancelled
        return await to_process.run_sync(_give_way, rehearsal, cancellable=True)


def _give_way(rehearsal: Rehearsal) -> Findings:
    os.setpriority(os.PRIO_PROCESS, 0, NICENESS)
    return rehearse(rehearsal)


async def _until_gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
