"""Files that a browser sends, received under the limits of the API's own forms, and with a token; then they wait."""

from collections.abc import Mapping
from contextlib import ExitStack
from functools import partial

from anyio import to_thread
from fastapi import Request
from fastapi.concurrency import contextmanager_in_threadpool
from pydantic import Field

from glyphd.api.forms import FilePart, Form, SeveralFiles
from glyphd.api.importing import await_outcome
from glyphd.api.schemas import Parameters, Text
from glyphd.api.threads import threads_of
from glyphd.api.uploads import receive_bytes
from glyphd.api.validating import rehearsed
from glyphd.console import form_tokens
from glyphd.domain.imports import Artifact
from glyphd.domain.report import ImportReport
from glyphd.errors import MissingFile, UnsupportedFormat
from glyphd.services.confirming import WaitingFile, WaitingUpload, import_upload, keep_upload, keeping
from glyphd.services.context import Context
from glyphd.services.options import ImportOptions
from glyphd.services.placing import read_options
from glyphd.services.receiving import check_queue, clean_filename
from glyphd.services.validating import rehearsal_of, report_validation
from glyphd.settings import Settings

FIELDS = ("source", "observed_at", "publish", "on_error", "max_reject_rate", "parent_import_id")
MOST_FILES = 20
WAIT_SECONDS = 1.0
"""A small file is done by then, so that its page shows the outcome at once."""


class UploadParameters(Parameters):
    """What the form is filled in with when it is opened."""

    source: Text | None = Field(None, description="Who the listings come from.")


async def receive_upload(request: Request, context: Context, settings: Settings) -> str:
    """Receive the form's files, check each, and let them wait; return the id that they wait under.

    Raises as the API does, and FormExpired.
    """
    limiter = threads_of(request).uploads
    await to_thread.run_sync(check_queue, context, limiter=limiter)
    async with contextmanager_in_threadpool(keeping(context)) as (upload_id, own):
        with ExitStack() as stack:
            part = SeveralFiles("file", lambda: stack.enter_context(own.artifacts.writing()), most=MOST_FILES)
            given = await _receive(request, part, settings)
            take = partial(_stored, own, part, given)
            options, stored = await to_thread.run_sync(take, limiter=limiter)
        files = [await _checked(request, own, options, each) for each in stored]
        await to_thread.run_sync(keep_upload, context, upload_id, WaitingUpload(given, files), limiter=limiter)
    return upload_id


async def _receive(request: Request, part: SeveralFiles, settings: Settings) -> dict[str, str]:
    """Receive a form, and return the options in it that say something."""
    form = Form(request.headers, [part], (*FIELDS, form_tokens.FIELD))
    await receive_bytes(request, settings.max_body_bytes, form.take)
    form.finish()
    fields = form.fields()
    form_tokens.check(request, fields.get(form_tokens.FIELD, ""))
    return {name: fields[name] for name in FIELDS if fields.get(name, "").strip()}


def _stored(
    context: Context, part: SeveralFiles, given: Mapping[str, str]
) -> tuple[ImportOptions, list[Artifact | WaitingFile]]:
    options = read_options(context, given)
    chosen = [file for file in part.files if file.multipart_filename or file.bytes]
    if not chosen:
        raise MissingFile("No file was chosen.", missing=["file"])
    return options, [_stored_file(file) for file in chosen]


def _stored_file(file: FilePart) -> Artifact | WaitingFile:
    """Keep a file; one of a format that cannot be read is only told of."""
    try:
        return file.store()
    except UnsupportedFormat as exc:
        return WaitingFile(clean_filename(file.multipart_filename), None, exc.description())


async def _checked(
    request: Request, context: Context, options: ImportOptions, stored: Artifact | WaitingFile
) -> WaitingFile:
    if isinstance(stored, WaitingFile):
        return stored
    async with contextmanager_in_threadpool(context.artifacts.scratch()) as spool:
        findings = await rehearsed(request, rehearsal_of(context, options, [stored], spool))
    tell = partial(report_validation, context, options, [stored], findings)
    report = await to_thread.run_sync(tell, limiter=threads_of(request).outcomes)
    return WaitingFile(stored.filename, report, report.failure)


async def confirm_upload(request: Request, context: Context, upload_id: str, actor: str) -> list[ImportReport]:
    """Import files that wait, give a small one the time to be done, and return the reports of their imports."""
    threads = threads_of(request)
    submit = partial(import_upload, context, upload_id, actor, request.state.request_id)
    import_ids = await to_thread.run_sync(submit, limiter=threads.uploads)
    last = await await_outcome(context, import_ids[-1], WAIT_SECONDS, threads.outcomes)
    return [*[await await_outcome(context, each, 0, threads.outcomes) for each in import_ids[:-1]], last]
