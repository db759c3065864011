"""Take the body of `POST /api/import`, whatever its form, straight into the artifact store.

Limits hold as the bytes come; the body is never whole in memory. Work on the bytes happens in threads, a quarter MiB at
a time, so that other requests go on being answered.
"""

import mmap
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Protocol

from anyio import to_thread
from starlette.requests import ClientDisconnect, Request

from glyphd.api.content_coding import PlainBody
from glyphd.api.forms import FilePart, Form
from glyphd.api.threads import threads_of
from glyphd.artifacts.folder import ArtifactFolder, ArtifactWriter
from glyphd.domain.imports import Artifact
from glyphd.errors import BodyTooLarge, IncompleteBody, MissingFile
from glyphd.ingest.json_body import read_json_body
from glyphd.services.options import OPTION_NAMES, ImportOptions
from glyphd.services.receiving import PORTION_BYTES, clean_filename, store_artifact
from glyphd.settings import Settings


class ReadOptions(Protocol):
    """Checks the options that came in a body, before its bytes are kept."""

    def __call__(self, options: Mapping[str, Any], /) -> ImportOptions:
        """Return the options of the import. Raises InvalidParameter and the like."""
        ...


Submission = tuple[Artifact, ImportOptions]
"""A batch whose bytes are durable, and what is asked for it."""


async def receive_submission(
    request: Request, store: ArtifactFolder, settings: Settings, read_options: ReadOptions
) -> Submission:
    """Receive the body; what is refused leaves no bytes behind.

    Raises BodyTooLarge, IncompleteBody, MalformedRequest, MissingFile, UnsupportedFormat, and what ``read_options``
    raises.
    """
    threads = threads_of(request)
    media_type = request.headers.get("content-type", "").split(";")[0].strip().lower()
    with store.writing() as writer:
        if media_type == "multipart/form-data":
            return await _receive_form(request, writer, settings, read_options)
        limit = settings.max_json_bytes if _is_json(media_type) else settings.max_body_bytes
        await receive_bytes(request, limit, writer.write)
        if _is_json(media_type):
            return await to_thread.run_sync(_json_submission, writer, store, read_options, limiter=threads.json_bodies)
        submit = partial(_submission, writer, read_options, {}, media_type or None, None)
        return await to_thread.run_sync(submit, limiter=threads.uploads)


def _is_json(media_type: str) -> bool:
    return media_type == "application/json" or media_type.endswith("+json")


async def receive_bytes(request: Request, limit: int, take: Callable[[bytes], None]) -> None:
    """Pass the plain body on in portions. Raises BodyTooLarge as soon as it is known."""
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and int(declared) > limit:
        raise BodyTooLarge(f"The body has {declared} bytes; this server accepts {limit}.", limit=limit)
    received, portion, threads = 0, bytearray(), threads_of(request)
    body = PlainBody(request.headers, limit, take)
    try:
        async for chunk in request.stream():
            received += len(chunk)
            if received > limit:
                raise BodyTooLarge(f"The body has more than the {limit} bytes that this server accepts.", limit=limit)
            portion += chunk
            if len(portion) >= PORTION_BYTES:
                await to_thread.run_sync(body.take, bytes(portion), limiter=threads.uploads)
                portion.clear()
    except ClientDisconnect as exc:
        raise IncompleteBody(f"The client went away after {received} bytes.") from exc
    await to_thread.run_sync(body.take, bytes(portion), limiter=threads.uploads)
    body.finish()


def _submission(
    writer: ArtifactWriter,
    read_options: ReadOptions,
    given: Mapping[str, Any],
    media_type: str | None,
    filename: str | None,
) -> Submission:
    options = read_options(given)
    return store_artifact(writer, media_type, filename), options


# -- JSON -------------------------------------------------------------------------------------------------------------


def _json_submission(writer: ArtifactWriter, store: ArtifactFolder, read_options: ReadOptions) -> Submission:
    """Read the options of a JSON body; a file's text inside it becomes the artifact itself."""
    writer.flush()
    if not writer.bytes:
        raise MissingFile("The body is empty.")
    filename, content, options = _taken_apart(writer)
    if content is None:
        return _submission(writer, read_options, options, "application/json", None)
    with store.writing() as inner:
        inner.write(content.encode())
        return _submission(inner, read_options, options, None, filename)


def _taken_apart(writer: ArtifactWriter) -> tuple[str | None, str | None, Mapping[str, Any]]:
    """Return the name and the text of a file inside a JSON body, if that is what it carries, and its options."""
    with writer.path.open("rb") as file:
        body = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)  # goes with what was read from it, which lies in it
    read = read_json_body(body)
    return clean_filename(read.filename), read.content, read.options


# -- multipart --------------------------------------------------------------------------------------------------------


async def _receive_form(
    request: Request, writer: ArtifactWriter, settings: Settings, read_options: ReadOptions
) -> Submission:
    """Receive a form with one file and the options as fields. Raises as :func:`receive_submission`."""
    form = Form(request.headers, [FilePart("file", writer)], OPTION_NAMES)
    await receive_bytes(request, settings.max_body_bytes, form.take)
    form.finish()
    if not form.files:
        raise MissingFile("The form has no part named 'file'.", missing=["file"])
    submit = partial(_form_submission, form.files[0], read_options, form.fields())
    return await to_thread.run_sync(submit, limiter=threads_of(request).uploads)


def _form_submission(part: FilePart, read_options: ReadOptions, given: Mapping[str, Any]) -> Submission:
    options = read_options(given)
    return part.store(), options
