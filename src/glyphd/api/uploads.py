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
from streaming_form_data import ParseFailedException, StreamingFormDataParser
from streaming_form_data.parser import UnexpectedPartException, parse_content_boundary
from streaming_form_data.targets import BaseTarget

from glyphd.api.content_coding import PlainBody
from glyphd.api.threads import threads_of
from glyphd.artifacts.folder import ArtifactFolder, ArtifactWriter
from glyphd.domain.imports import Artifact
from glyphd.errors import BodyTooLarge, IncompleteBody, InvalidParameter, MalformedRequest, MissingFile
from glyphd.ingest.json_body import read_json_body
from glyphd.services.options import OPTION_NAMES, ImportOptions
from glyphd.services.receiving import PORTION_BYTES, clean_filename, store_artifact
from glyphd.settings import Settings

FIELD_BYTES = 32 * 1024
FORM_OVERHEAD_BYTES = 64 * 1024
"""What a form may hold besides the contents of its parts: the parser keeps the headers of a part in memory."""


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
        await _receive_bytes(request, limit, writer.write)
        if _is_json(media_type):
            return await to_thread.run_sync(_json_submission, writer, store, read_options, limiter=threads.json_bodies)
        submit = partial(_submission, writer, read_options, {}, media_type or None, None)
        return await to_thread.run_sync(submit, limiter=threads.uploads)


def _is_json(media_type: str) -> bool:
    return media_type == "application/json" or media_type.endswith("+json")


async def _receive_bytes(request: Request, limit: int, take: Callable[[bytes], None]) -> None:
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
    form = _Form(request.headers, writer)
    await _receive_bytes(request, settings.max_body_bytes, form.take)
    form.finish()
    media_type, filename = form.file.multipart_content_type or None, clean_filename(form.file.multipart_filename)
    submit = partial(_submission, writer, read_options, form.options(), media_type, filename)
    return await to_thread.run_sync(submit, limiter=threads_of(request).uploads)


class _Form:
    """A multipart body as it comes: one `file` part, and options as fields."""

    def __init__(self, headers: Mapping[str, str], writer: ArtifactWriter) -> None:
        self.file = _FilePart(writer)
        self._fields = {name: _FieldPart(name) for name in OPTION_NAMES}
        self._tail, self._overhead = b"", 0
        try:
            self._end = b"--" + parse_content_boundary(headers) + b"--"
            self._parser = StreamingFormDataParser(headers, strict=True)
        except ParseFailedException as exc:
            raise MalformedRequest(f"The multipart body cannot be parsed: {exc}.") from exc
        self._parts: list[_Part] = [self.file, *self._fields.values()]
        for part in self._parts:
            self._parser.register(part.name, part)

    def take(self, portion: bytes) -> None:
        self._overhead += len(portion)
        self._tail = (self._tail + portion)[-512:]
        try:
            self._parser.data_received(portion)
        except UnexpectedPartException as exc:
            known = ", ".join(["file", *OPTION_NAMES])
            detail = f"{exc.part_name!r} is not a part of an import; the parts are {known}."
            raise InvalidParameter(detail, parameter=exc.part_name) from exc
        except ParseFailedException as exc:
            raise MalformedRequest("The multipart body cannot be parsed: its parts are not delimited.") from exc
        except UnicodeDecodeError as exc:
            raise MalformedRequest("The multipart body cannot be parsed: a header of a part is not UTF-8.") from exc
        if self._overhead - sum(part.bytes for part in self._parts) > FORM_OVERHEAD_BYTES:
            detail = f"The multipart body has more than {FORM_OVERHEAD_BYTES} bytes besides its parts' contents."
            raise MalformedRequest(detail)

    def finish(self) -> None:
        if self._end not in self._tail or any(part.begun and not part.finished for part in self._parts):
            raise IncompleteBody("The multipart body ends before its closing boundary.")
        if not self.file.begun:
            raise MissingFile("The form has no part named 'file'.")
        if not (self.file.multipart_filename or self.file.multipart_content_type):
            raise MissingFile("The part named 'file' is a text, not a file; with curl it is -F file=@PATH.")

    def options(self) -> dict[str, str]:
        return {name: part.text() for name, part in self._fields.items() if part.begun}


class _Part(BaseTarget):  # type: ignore[misc] # the library is untyped
    """A part that may come once."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name, self.begun, self.finished, self.bytes = name, False, False, 0

    def on_start(self) -> None:
        if self.begun:
            raise InvalidParameter(f"The form has two parts named {self.name!r}.", parameter=self.name)
        self.begun = True

    def on_finish(self) -> None:
        self.finished = True


class _FilePart(_Part):
    def __init__(self, writer: ArtifactWriter) -> None:
        super().__init__("file")
        self._writer = writer

    def on_data_received(self, chunk: bytes) -> None:
        self.bytes += len(chunk)
        self._writer.write(chunk)


class _FieldPart(_Part):
    def __init__(self, name: str) -> None:
        super().__init__(name)
        self._value = bytearray()

    def on_data_received(self, chunk: bytes) -> None:
        self._value += chunk
        self.bytes += len(chunk)
        if self.bytes > FIELD_BYTES:
            raise InvalidParameter(f"{self.name} is longer than {FIELD_BYTES} bytes.", parameter=self.name)

    def text(self) -> str:
        try:
            return self._value.decode()
        except UnicodeDecodeError as exc:
            raise InvalidParameter(f"{self.name} is not UTF-8.", parameter=self.name) from exc
