"""Imports: submit a batch, see what became of it, take it out."""

from typing import Annotated

from fastapi import APIRouter, HTTPException, Query, Request, Response

from glyphd.api import answers, examples, importing, validating
from glyphd.api.import_body import (
    IMPORT_BODY,
    IMPORT_PARAMETERS,
    IMPORT_RESPONSES,
    OPTION_PARAMETERS,
    REASON_BODY,
    REPLAY_RESPONSES,
    RETRY_HEADERS,
    VALIDATION_RESPONSES,
)
from glyphd.api.paging import import_place_of, number_of
from glyphd.api.pipeline_body import PIPELINE_BODY, PIPELINE_OPTION_PARAMETERS, PIPELINE_PARAMETERS, PIPELINE_RESPONSES
from glyphd.api.problems import declare
from glyphd.api.requests import Actor, GivenReason, ImportId, ServerSettings, ServiceContext
from glyphd.api.schemas import (
    ImportParameters,
    Page,
    PageParameters,
    RejectionParameters,
    ReplayParameters,
)
from glyphd.domain.receipts import Receipt
from glyphd.domain.report import (
    ExportFormat,
    ImportEvent,
    ImportReport,
    RejectedRecord,
    RowDigest,
    SourceSummary,
    ValidationReport,
)
from glyphd.errors import (
    ArtifactDamaged,
    ArtifactNotFound,
    BodyTooLarge,
    IllegalTransition,
    ImportNotFound,
    InvalidParameter,
    MalformedRequest,
    RangeNotSatisfiable,
    UnsupportedFormat,
)
from glyphd.services import digesting, discarding, inspecting, publishing, reporting, returning, rolling_back, surveying

router = APIRouter(prefix="/api", tags=["imports"])

_REFUSED_CHANGES = declare(
    MalformedRequest, ImportNotFound, IllegalTransition, BodyTooLarge, UnsupportedFormat, InvalidParameter
)


@router.post(
    "/import",
    status_code=201,
    responses=IMPORT_RESPONSES,
    response_model=ImportReport,
    openapi_extra={"requestBody": IMPORT_BODY, "parameters": IMPORT_PARAMETERS},
)
async def post_import(request: Request, context: ServiceContext, settings: ServerSettings, actor: Actor) -> Response:
    """Import one batch of scored listings.

    Partial success is a success: what is wrong with single records is in the report.
    """
    return await importing.import_batch(request, context, settings, actor)


@router.post(
    "/import/validate",
    responses=VALIDATION_RESPONSES,
    response_model=ValidationReport,
    openapi_extra={"requestBody": IMPORT_BODY, "parameters": OPTION_PARAMETERS},
)
async def post_validate(request: Request, context: ServiceContext, settings: ServerSettings) -> Response:
    """Tell what an import of this batch would answer, and store nothing.

    A batch that could not be imported is no error here: `would_import` is false, and `failure` says why.
    """
    return await validating.validate_batch(request, context, settings)


@router.post(
    "/imports/from-pipeline",
    status_code=201,
    responses=PIPELINE_RESPONSES,
    response_model=ImportReport,
    openapi_extra={"requestBody": PIPELINE_BODY, "parameters": PIPELINE_PARAMETERS},
)
async def post_pipeline_run(
    request: Request, context: ServiceContext, settings: ServerSettings, actor: Actor
) -> Response:
    """Import what a finished pipeline run left behind: its enriched and its scored file, or the two already joined.

    The files are uploaded, or named by paths below the server's pipeline directory. Records are joined by position.
    """
    return await importing.import_pipeline_run(request, context, settings, actor)


@router.post(
    "/imports/from-pipeline/validate",
    responses=VALIDATION_RESPONSES,
    response_model=ValidationReport,
    openapi_extra={"requestBody": PIPELINE_BODY, "parameters": PIPELINE_OPTION_PARAMETERS},
)
async def post_validate_pipeline_run(request: Request, context: ServiceContext, settings: ServerSettings) -> Response:
    """Tell what an import of this pipeline run would answer, and store nothing."""
    return await validating.validate_pipeline_run(request, context, settings)


@router.get("/imports/from-pipeline", include_in_schema=False)
def refuse_to_get_a_pipeline_run() -> None:
    """Say that this is no import, which `/imports/{import_id}` would take it for."""
    raise HTTPException(405, headers={"Allow": "POST"})


@router.get("/imports", responses=declare(InvalidParameter))
def get_imports(
    request: Request, response: Response, context: ServiceContext, parameters: Annotated[ImportParameters, Query()]
) -> Page[ImportReport]:
    """List imports, newest first unless another order is asked for."""
    filters, after = answers.import_filters(parameters), import_place_of(parameters.cursor)
    reports, last = reporting.report_imports(context, filters, limit=parameters.limit, after=after)
    return answers.page(request, response, reports, *(last or ()))


@router.get("/imports/{import_id}", responses=declare(ImportNotFound, InvalidParameter))
def get_import(context: ServiceContext, import_id: ImportId) -> ImportReport:
    """Report one import, with live progress while it is not finished."""
    return reporting.report_import(context, import_id)


@router.get(
    "/imports/{import_id}/rejections",
    response_model=Page[RejectedRecord],
    responses={
        200: {"content": {"text/csv": {"schema": {"type": "string"}, "example": examples.REJECTIONS_CSV}}},
        **declare(ImportNotFound, ArtifactNotFound, InvalidParameter, ArtifactDamaged),
    },
)
def get_rejections(
    request: Request,
    response: Response,
    context: ServiceContext,
    import_id: ImportId,
    parameters: Annotated[RejectionParameters, Query()],
) -> Page[RejectedRecord] | Response:
    """List the records that were not stored, each with its bytes and what is wrong with it."""
    if parameters.format == "csv":
        lines = returning.return_rejections(context, import_id, parameters.variant)
        return answers.export_download(ExportFormat.CSV, lines, f"rejections-{import_id}")
    after = number_of(parameters.cursor) or 0
    found, more = inspecting.inspect_rejections(context, import_id, limit=parameters.limit, after_index=after)
    return answers.page(request, response, found, *([found[-1].import_index] if more else []))


@router.get(
    "/imports/{import_id}/artifact",
    response_class=Response,
    responses={
        200: {"content": {"*/*": {"schema": {}}}, "description": "The bytes."},
        206: {
            "content": {"*/*": {"schema": {}}},
            "description": "A range of them.",
        },
        **declare(ImportNotFound, ArtifactNotFound, InvalidParameter, RangeNotSatisfiable, ArtifactDamaged),
    },
)
def get_artifact(
    request: Request,
    context: ServiceContext,
    import_id: ImportId,
    role: Annotated[str | None, Query(min_length=1, max_length=64, description="Which, if there are several.")] = None,
) -> Response:
    """Return the bytes as they were submitted."""
    return answers.artifact_download(request, inspecting.inspect_artifact(context, import_id, role))


@router.get("/imports/{import_id}/events", responses=declare(ImportNotFound, InvalidParameter))
def get_events(
    request: Request,
    response: Response,
    context: ServiceContext,
    import_id: ImportId,
    parameters: Annotated[PageParameters, Query()],
) -> Page[ImportEvent]:
    """Tell who did what to an import, when and why, oldest first."""
    after = number_of(parameters.cursor) or 0
    found = inspecting.inspect_events(context, import_id, limit=parameters.limit + 1, after_id=after)
    return answers.events_page(request, response, found, parameters.limit)


@router.get("/imports/{import_id}/digest", responses=declare(ImportNotFound, InvalidParameter))
def get_digest(context: ServiceContext, import_id: ImportId) -> RowDigest:
    """Return the row digest: SHA-256 over the accepted rows, the same wherever the same rows are; reads all of them."""
    return RowDigest(import_id, digesting.digest_import(context, import_id))


@router.post(
    "/imports/{import_id}/discard",
    responses=_REFUSED_CHANGES,
    openapi_extra={"requestBody": REASON_BODY},
)
def post_discard(context: ServiceContext, import_id: ImportId, actor: Actor, reason: GivenReason) -> ImportReport:
    """Take out an import that is not published; one that waits or runs is cancelled."""
    discarding.discard_import(context, import_id, actor, reason)
    return reporting.report_import(context, import_id)


@router.post(
    "/imports/{import_id}/publish",
    responses=_REFUSED_CHANGES,
    openapi_extra={"requestBody": REASON_BODY},
)
def post_publish(context: ServiceContext, import_id: ImportId, actor: Actor, reason: GivenReason) -> ImportReport:
    """Make the rows of a staged import visible."""
    publishing.publish_import(context, import_id, actor, reason)
    return reporting.report_import(context, import_id)


@router.post(
    "/imports/{import_id}/rollback",
    responses=_REFUSED_CHANGES,
    openapi_extra={"requestBody": REASON_BODY},
)
def post_rollback(context: ServiceContext, import_id: ImportId, actor: Actor, reason: GivenReason) -> Receipt:
    """Take a published import out of every read, with what hangs on it."""
    return rolling_back.roll_back_import(context, import_id, actor, reason)


@router.post(
    "/imports/{import_id}/restore",
    responses=_REFUSED_CHANGES,
    openapi_extra={"requestBody": REASON_BODY},
)
def post_restore(context: ServiceContext, import_id: ImportId, actor: Actor, reason: GivenReason) -> Receipt:
    """Put a rolled-back import back into every read."""
    return rolling_back.restore_import(context, import_id, actor, reason)


@router.post(
    "/imports/{import_id}/replay",
    status_code=201,
    responses=REPLAY_RESPONSES,
    response_model=ImportReport,
    openapi_extra={"requestBody": REASON_BODY, "parameters": RETRY_HEADERS},
)
async def post_replay(
    request: Request,
    context: ServiceContext,
    settings: ServerSettings,
    import_id: ImportId,
    actor: Actor,
    reason: GivenReason,
    parameters: Annotated[ReplayParameters, Query()],
) -> Response:
    """Import a batch's stored artifact again under today's rules; once published, the replay stands for the batch."""
    return await importing.replay_batch(request, context, settings, import_id, actor, reason, parameters)


@router.get("/sources")
def get_sources(context: ServiceContext) -> Page[SourceSummary]:
    """List the sources, each with its newest import and the batch that stands for it."""
    return Page(items=surveying.survey_sources(context), next=None)
