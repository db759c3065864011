"""Files that a browser sends: the way of the API's own forms, under the same limits, and with a token."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from anyio import to_thread
from fastapi import Request
from pydantic import Field

from glyphd.api.admission import admitted
from glyphd.api.importing import await_outcome
from glyphd.api.schemas import ImportName, Parameters, Text
from glyphd.api.threads import threads_of
from glyphd.api.uploads import ReadOptions, Submission, receive_form
from glyphd.api.validating import report_on
from glyphd.artifacts.folder import ArtifactFolder
from glyphd.console import form_tokens
from glyphd.domain.imports import Artifact
from glyphd.domain.report import ValidationReport
from glyphd.services.context import Context
from glyphd.services.options import ImportOptions
from glyphd.services.placing import read_options
from glyphd.services.receiving import receive_import
from glyphd.settings import Settings

FIELDS = ("source", "observed_at", "publish", "on_error", "max_reject_rate", "parent_import_id")
WAIT_SECONDS = 1.0
"""A small file is done by then, so that its page shows the outcome at once."""


class UploadParameters(Parameters):
    """What the form is filled in with when it is opened."""

    source: Text | None = Field(None, description="Who the listings come from.")
    parent_import_id: ImportName | None = Field(None, description="The batch whose rejections the file corrects.")


async def check_upload(request: Request, context: Context, settings: Settings) -> ValidationReport:
    """Return what would come of the form's file, and store nothing. Raises as the API does, and FormExpired."""

    async def receive(store: ArtifactFolder, read: ReadOptions) -> tuple[ImportOptions, Sequence[Artifact]]:
        artifact, options = await _receive(request, store, settings, read)
        return options, [artifact]

    return await report_on(request, context, partial(read_options, context), receive)


async def import_upload(request: Request, context: Context, settings: Settings, actor: str) -> str:
    """Import the form's file, wait a moment for its outcome, and return its import_id.

    Raises as the API does, and FormExpired.
    """
    threads = threads_of(request)
    async with admitted(request, context) as admission:
        own = admission.context
        artifact, options = await _receive(request, own.artifacts, settings, admission.read_options)
        receive = partial(receive_import, own, options, [artifact], actor, claim=admission.claim)
        import_id = await to_thread.run_sync(receive, request.state.request_id, limiter=threads.uploads)
    await await_outcome(context, import_id, WAIT_SECONDS, threads.outcomes)
    return import_id


async def _receive(request: Request, store: ArtifactFolder, settings: Settings, read: ReadOptions) -> Submission:
    def read_fields(given: Mapping[str, Any], /) -> ImportOptions:
        form_tokens.check(request, given.get(form_tokens.FIELD, ""))
        return read({name: given[name] for name in FIELDS if given.get(name, "").strip()})

    with store.writing() as writer:
        return await receive_form(request, writer, settings, read_fields, (*FIELDS, form_tokens.FIELD))
