"""A multipart body as it comes: files straight into the artifact store, options as fields, limits on the way."""

from collections.abc import Callable, Iterable

from starlette.datastructures import Headers
from streaming_form_data import ParseFailedException, StreamingFormDataParser
from streaming_form_data.parser import UnexpectedPartException, parse_content_boundary
from streaming_form_data.targets import BaseTarget

from glyphd.artifacts.folder import ArtifactWriter
from glyphd.domain.imports import Artifact
from glyphd.errors import IncompleteBody, InvalidParameter, MalformedRequest, MissingFile
from glyphd.ingest.submitted import BATCH
from glyphd.services.receiving import clean_filename, store_artifact

FIELD_BYTES = 32 * 1024
FORM_OVERHEAD_BYTES = 64 * 1024
"""What a form may hold besides the contents of its parts: the parser keeps the headers of a part in memory."""


class Form:
    """The parts of a form: files, and fields, each once at most."""

    def __init__(self, headers: Headers, files: "Iterable[FilePart | SeveralFiles]", fields: Iterable[str]) -> None:
        """Expect these files. Raises MalformedRequest for a boundary that is none."""
        self._files = {part.name: part for part in files}
        self._fields = {name: _FieldPart(name) for name in fields}
        self._tail, self._overhead = b"", 0
        try:
            self._end = b"--" + parse_content_boundary(headers) + b"--"
            self._parser = StreamingFormDataParser(headers, strict=True)
        except ParseFailedException as exc:
            raise MalformedRequest(f"The multipart body cannot be parsed: {exc}.") from exc
        self._parts: list[_Part] = [*self._files.values(), *self._fields.values()]
        for part in self._parts:
            self._parser.register(part.name, part)

    def take(self, portion: bytes) -> None:
        """Parse the next portion of the body. Raises InvalidParameter, MalformedRequest."""
        self._overhead += len(portion)
        self._tail = (self._tail + portion)[-512:]
        try:
            self._parser.data_received(portion)
        except UnexpectedPartException as exc:
            known = ", ".join(part.name for part in self._parts)
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
        """Check that the body is whole. Raises IncompleteBody, and MissingFile for a file that is a mere text."""
        if self._end not in self._tail or any(part.begun and not part.finished for part in self._parts):
            raise IncompleteBody("The multipart body ends before its closing boundary.")
        for part in self.files:
            if not (part.multipart_filename or part.multipart_content_type):
                detail = f"The part named {part.name!r} is a text, not a file; with curl it is -F {part.name}=@PATH."
                raise MissingFile(detail, missing=[part.name])

    @property
    def files(self) -> list["FilePart"]:
        """The files that came."""
        return [file for part in self._files.values() for file in part.files]

    def fields(self) -> dict[str, str]:
        """Return the fields that came. Raises InvalidParameter for one that is not UTF-8."""
        return {name: part.text() for name, part in self._fields.items() if part.begun}


class _Part(BaseTarget):  # type: ignore[misc] # the library is untyped
    """A part that may come once."""

    multipart_filename: str | None
    multipart_content_type: str | None

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name, self.begun, self.finished, self.bytes = name, False, False, 0

    def on_start(self) -> None:
        if self.begun:
            raise InvalidParameter(f"The form has two parts named {self.name!r}.", parameter=self.name)
        self.begun = True

    def on_finish(self) -> None:
        self.finished = True


class FilePart(_Part):
    """A file, written as it comes."""

    def __init__(self, name: str, writer: ArtifactWriter) -> None:
        """``writer`` takes the bytes."""
        super().__init__(name)
        self.writer = writer

    def store(self, role: str = BATCH) -> Artifact:
        """Make the bytes durable, under the name and the type that the form gave them. Raises UnsupportedFormat."""
        media_type, filename = self.multipart_content_type or None, clean_filename(self.multipart_filename)
        return store_artifact(self.writer, media_type, filename, role)

    @property
    def files(self) -> list["FilePart"]:
        """The file, if it came."""
        return [self] if self.begun else []

    def on_data_received(self, chunk: bytes) -> None:
        """Write a chunk."""
        self.bytes += len(chunk)
        self.writer.write(chunk)


class SeveralFiles(_Part):
    """Files that have one name, as those of an input that takes several; ``opened`` gives each what takes its bytes."""

    def __init__(self, name: str, opened: Callable[[], ArtifactWriter], *, most: int) -> None:
        """Take at most so many."""
        super().__init__(name)
        self.files: list[FilePart] = []
        self._opened, self._most = opened, most

    def on_start(self) -> None:
        """Begin a file. Raises InvalidParameter for one too many."""
        if len(self.files) == self._most:
            raise InvalidParameter(f"The form has more than {self._most} files.", parameter=self.name)
        self.files.append(FilePart(self.name, self._opened()))
        self.begun, self.finished = True, False

    def on_data_received(self, chunk: bytes) -> None:
        """Write a chunk of the file that came last."""
        self.bytes += len(chunk)
        self.files[-1].on_data_received(chunk)

    def on_finish(self) -> None:
        """Give the file the name and the type that the parser noted here, and forget them."""
        super().on_finish()
        last = self.files[-1]
        last.multipart_filename = self.multipart_filename
        last.multipart_content_type = self.multipart_content_type
        self.multipart_filename = self.multipart_content_type = None


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
