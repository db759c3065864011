"""Take the body of `POST /api/imports/from-pipeline`: two files or a joined one, uploaded or named by path."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from typing import Any
from urllib.parse import parse_qsl

import msgspec
from anyio import to_thread
from starlette.requests import Request

from glyphd.api.forms import FilePart, Form
from glyphd.api.threads import threads_of
from glyphd.api.uploads import receive_bytes
from glyphd.artifacts.folder import ArtifactFolder
from glyphd.domain.imports import Artifact
from glyphd.errors import ConflictingOptions, InvalidParameter, MalformedRequest, MissingFile, UnsupportedFormat
from glyphd.ingest.pipeline_output import ENRICHED, SCORED
from glyphd.services.options import OPTION_NAMES, ImportOptions
from glyphd.services.pipeline_directory import PATH_ROLES, PipelineDirectory, check_complete
from glyphd.settings import Settings

FILE_ROLES = {"enriched": ENRICHED, "scored": SCORED, "file": "batch"}
BODY_BYTES = 64 * 1024
"""The largest body that names files by path."""

PipelineRun = tuple[ImportOptions, list[Artifact]]
Given = Iterable[tuple[str, Any]]
ReadRun = Callable[[Given], tuple[ImportOptions, dict[str, str]]]


async def receive_pipeline_run(
    request: Request, store: ArtifactFolder, settings: Settings, read_options: Callable[..., ImportOptions]
) -> PipelineRun:
    """Receive the files; what is refused leaves no bytes behind.

    Raises BodyTooLarge, IncompleteBody, MalformedRequest, MissingFile, UnsupportedFormat, PipelineDirUnset,
    PipelinePathRefused, and what is wrong with the options.
    """
    query = request.query_params.multi_items()
    options = partial(_parse, read_options, query)
    options(())  # refuse before the body is read
    media_type = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if media_type == "multipart/form-data":
        return await _receive_form(request, store, settings, options)
    body = bytearray()
    await receive_bytes(request, BODY_BYTES, body.extend)
    read, paths = options(_members(bytes(body), media_type))
    if not paths:
        raise _nothing()
    take = partial(_store_paths, paths, store, settings)
    return read, await to_thread.run_sync(take, limiter=threads_of(request).uploads)


async def _receive_form(request: Request, store: ArtifactFolder, settings: Settings, options: ReadRun) -> PipelineRun:
    with ExitStack() as stack:
        expected = [FilePart(name, stack.enter_context(store.writing())) for name in FILE_ROLES]
        form = Form(request.headers, expected, [*OPTION_NAMES, *PATH_ROLES])
        await receive_bytes(request, settings.max_body_bytes, form.take)
        form.finish()
        read, paths = options(form.fields().items())
        if paths and form.files:
            raise InvalidParameter("Upload the files or name their paths, not both.", parameter=next(iter(paths)))
        if form.files:
            check_complete({FILE_ROLES[file.name] for file in form.files})
            take = partial(_store_files, form.files)
        elif paths:
            take = partial(_store_paths, paths, store, settings)
        else:
            raise _nothing()
        return read, await to_thread.run_sync(take, limiter=threads_of(request).uploads)


def _store_files(files: Sequence[FilePart]) -> list[Artifact]:
    return [file.store(FILE_ROLES[file.name]) for file in files]


def _store_paths(paths: Mapping[str, str], store: ArtifactFolder, settings: Settings) -> list[Artifact]:
    return PipelineDirectory(settings.pipeline_dir, settings.max_body_bytes).store(paths, store)


def _nothing() -> MissingFile:
    return MissingFile("There is neither a file nor a path: send `enriched` and `scored`, or one joined `file`.")


def _parse(
    read_options: Callable[..., ImportOptions], query: Given, given: Given
) -> tuple[ImportOptions, dict[str, str]]:
    """Read options and paths from the query and the body. Raises ConflictingOptions and InvalidParameter."""
    said = [(name, value) for name, value in (*query, *given) if value is not None]
    paths: dict[str, str] = {}
    for name, value in said:
        if name in PATH_ROLES:
            if not isinstance(value, str):
                raise InvalidParameter(f"{name} must be text.", parameter=name)
            if paths.setdefault(name, value) != value:
                raise ConflictingOptions(f"{name} was given twice, with different values.", parameter=name)
    options = [{name: value} for name, value in said if name not in PATH_ROLES]
    return read_options(*options), paths


def _members(body: bytes, media_type: str) -> list[tuple[str, Any]]:
    """Return what a body without files says. Raises MalformedRequest, UnsupportedFormat."""
    try:
        if not body.strip():
            return []
        if media_type == "application/x-www-form-urlencoded":
            return parse_qsl(body.decode(), keep_blank_values=True, strict_parsing=True, errors="strict")
        if media_type == "application/json":
            return list(msgspec.json.decode(body, type=dict[str, Any]).items())
    except (ValueError, RecursionError) as exc:  # msgspec's errors and those of decoding are values that are wrong
        raise MalformedRequest(f"The body cannot be read as {media_type}: {exc}.") from exc
    detail = f"The body is {media_type or 'of no type'}; it must be a form with files, or JSON that names their paths."
    raise UnsupportedFormat(detail, found=media_type)
