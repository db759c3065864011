"""What was submitted, as files, and the one reader of their records."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from glyphd.errors import CorruptCompression, UnsupportedFormat
from glyphd.ingest.columns import ColumnMapping
from glyphd.ingest.compression import decode_head, decompress_file
from glyphd.ingest.formats import detect_compression, detect_format
from glyphd.ingest.media_types import MEDIA_TYPES, Format
from glyphd.ingest.pipeline_output import ENRICHED, SCORED, JoinedReader, Pair, read_pair
from glyphd.ingest.readers import DELIMITERS_OF, open_records
from glyphd.ingest.readers.dialect import Dialect, read_dialect
from glyphd.ingest.records import Chunk, Limits, RecordReader

HEAD_BYTES = 64 * 1024
BATCH = "batch"
"""The role of the only file of a batch."""


@dataclass(frozen=True, slots=True)
class SubmittedFile:
    """One file of a batch. ``role`` tells it from the others; a batch of one file has the role :data:`BATCH`."""

    path: Path
    media_type: str | None
    filename: str | None
    role: str = BATCH


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
    plain = {file.role: plain_file(file, limits, spool) for file in files}
    if is_pair({role: file.format for role, file in plain.items()}):
        paths = plain[ENRICHED].path, plain[SCORED].path
        reader: RecordReader = JoinedReader(*paths, schema_version=schema_version, limits=limits)
    else:
        only = plain[files[0].role]
        reader = open_records(only.path, only.format, schema_version=schema_version, limits=limits)
    submitted, decoded = (_size(each.path for each in group) for group in (files, plain.values()))
    return reader if submitted == decoded else _Decompressed(reader, submitted / decoded if decoded else 1.0)


def plain_file(file: SubmittedFile, limits: Limits, spool: Path) -> PlainFile:
    """Return a file that can be read, decompressed into ``spool`` where it must be.

    Raises UnsupportedFormat, CorruptCompression, DecodedTooLarge.
    """
    path = file.path
    if compression := detect_compression(file.media_type, file.filename, _head(path)):
        path = spool / f"{file.role}.plain"
        decompress_file(compression, file.path, path, limits.decoded_bytes)
    return PlainFile(path, detect_format(file.media_type, file.filename, _head(path)))


class _Decompressed:
    """Tells the progress of a reader in the bytes that were submitted, of which ``share`` make one that is read."""

    def __init__(self, reader: RecordReader, share: float) -> None:
        self._reader = reader
        self._share = share

    @property
    def columns(self) -> ColumnMapping:
        return self._reader.columns

    def __iter__(self) -> Iterator[Chunk]:
        for chunk in self._reader:
            yield replace(chunk, bytes_done=round(chunk.bytes_done * self._share))


def read_columns(files: Sequence[SubmittedFile], *, schema_version: str, limits: Limits) -> Dialect | Pair | None:
    """Return how the records of a batch are cut into cells; None where the ledger has them as JSON.

    Raises UnsupportedFormat, and FileFault for the header.
    """
    heads = {file.role: read_head(file, limits.block_bytes) for file in files}
    if is_pair({role: found for role, (found, _, _) in heads.items()}):
        return read_pair(heads[ENRICHED][1:], heads[SCORED][1:], schema_version=schema_version, limits=limits)
    found, head, whole = heads[files[0].role]
    if found not in DELIMITERS_OF:
        return None
    return read_dialect(head, schema_version, limits, final=whole, delimiters=DELIMITERS_OF[found])


def is_pair(formats: Mapping[str, Format]) -> bool:
    """Tell by their roles whether files are those of a pipeline run. Raises UnsupportedFormat when one is no text."""
    if not {ENRICHED, SCORED} <= formats.keys():
        return False
    for role in (ENRICHED, SCORED):
        if (found := formats[role]) not in DELIMITERS_OF:
            detail = f"The {role} file is {found}; the two files of a pipeline run are CSV or TSV."
            raise UnsupportedFormat(detail, found=found, file=role)
    return True


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


def _size(paths: Iterator[Path]) -> int:
    return sum(path.stat().st_size for path in paths)
