"""What was submitted, as files, and the one reader of their records."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from glyphd.errors import CorruptCompression
from glyphd.ingest.compression import decode_head, decompress_file
from glyphd.ingest.formats import detect_compression, detect_format
from glyphd.ingest.media_types import MEDIA_TYPES, Format
from glyphd.ingest.readers import open_records
from glyphd.ingest.records import Limits, RecordReader

HEAD_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class SubmittedFile:
    """One file of a batch. ``role`` tells it from the others; a batch of one file has the role `batch`."""

    path: Path
    media_type: str | None
    filename: str | None
    role: str = "batch"


@dataclass(frozen=True, slots=True)
class PlainFile:
    """A submitted file that is not compressed, or no longer."""

    path: Path
    format: Format


def check_submitted(file: SubmittedFile) -> str:
    """Return the media type to keep a file under, from which its format can be told again. Raises UnsupportedFormat.

    Whether compressed data is sound is found out when it is read: by then its bytes are safe.
    """
    head = _head(file.path)
    compression = detect_compression(file.media_type, file.filename, head)
    if compression is None:
        return MEDIA_TYPES[detect_format(file.media_type, file.filename, head)]
    with suppress(CorruptCompression), file.path.open("rb") as opened:
        detect_format(file.media_type, file.filename, decode_head(compression, opened, HEAD_BYTES))
    return MEDIA_TYPES[compression]


def open_submitted(files: Sequence[SubmittedFile], *, schema_version: str, limits: Limits, spool: Path) -> RecordReader:
    """Open the records of a batch. ``spool`` is a directory for what need not outlast the reading.

    Raises UnsupportedFormat, and FileFault, here or while the records are read.
    """
    file = plain_file(files[0], limits, spool)
    return open_records(file.path, file.format, schema_version=schema_version, limits=limits)


def plain_file(file: SubmittedFile, limits: Limits, spool: Path) -> PlainFile:
    """Return a file that can be read, decompressed into ``spool`` where it must be.

    Raises UnsupportedFormat, CorruptCompression, DecodedTooLarge.
    """
    path = file.path
    if compression := detect_compression(file.media_type, file.filename, _head(path)):
        path = spool / f"{file.role}.plain"
        decompress_file(compression, file.path, path, limits.decoded_bytes)
    return PlainFile(path, detect_format(file.media_type, file.filename, _head(path)))


def read_head(file: SubmittedFile, size: int) -> tuple[Format, bytes, bool]:
    """Return the format of a file, its first plain bytes and whether they are all of it.

    Raises UnsupportedFormat, CorruptCompression.
    """
    compression = detect_compression(file.media_type, file.filename, _head(file.path))
    with file.path.open("rb") as opened:
        head = decode_head(compression, opened, size + 1) if compression else opened.read(size + 1)
    return detect_format(file.media_type, file.filename, head[:HEAD_BYTES]), head[:size], len(head) <= size


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(HEAD_BYTES)
