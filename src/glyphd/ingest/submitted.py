"""What was submitted, as files, and the one reader of their records."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from glyphd.ingest.formats import detect_format
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


def open_submitted(files: Sequence[SubmittedFile], *, schema_version: str, limits: Limits) -> RecordReader:
    """Open the records of a batch.

    Raises UnsupportedFormat, and FileFault, here or while the records are read.
    """
    file = files[0]
    with file.path.open("rb") as opened:
        head = opened.read(HEAD_BYTES)
    file_format = detect_format(file.media_type, file.filename, head)
    return open_records(file.path, file_format, schema_version=schema_version, limits=limits)
