"""What was submitted, as files, and the one reader of their records."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from glyphd.errors import UnsupportedFormat
from glyphd.ingest.formats import Format, detect_format
from glyphd.ingest.pipeline_output import ENRICHED, SCORED, JoinedReader, Pair, read_pair
from glyphd.ingest.readers import open_records
from glyphd.ingest.readers.dialect import Dialect, first_block, read_dialect
from glyphd.ingest.records import Limits, RecordReader

HEAD_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class SubmittedFile:
    """One file of a batch. ``role`` tells it from the others; a batch of one file has the role `batch`."""

    path: Path
    media_type: str | None
    filename: str | None
    role: str = "batch"


def open_submitted(
    files: Sequence[SubmittedFile], *, schema_version: str, limits: Limits, spool: Path  # noqa: ARG001
) -> RecordReader:
    """Open the records of a batch. ``spool`` is a directory for what need not outlast the reading.

    Raises UnsupportedFormat, and FileFault, here or while the records are read.
    """
    formats = {file.role: read_head(file, HEAD_BYTES)[0] for file in files}
    paths = {file.role: file.path for file in files}
    if is_pair(formats):
        return JoinedReader(paths[ENRICHED], paths[SCORED], schema_version=schema_version, limits=limits)
    role = files[0].role
    return open_records(paths[role], formats[role], schema_version=schema_version, limits=limits)


def read_columns(files: Sequence[SubmittedFile], *, schema_version: str, limits: Limits) -> Dialect | Pair | None:
    """Return how the records of a batch are cut into cells; None where they are JSON.

    Raises UnsupportedFormat, and FileFault for the header.
    """
    heads = {file.role: read_head(file, limits.block_bytes) for file in files}
    if is_pair({role: found for role, (found, _, _) in heads.items()}):
        return read_pair(heads[ENRICHED][1:], heads[SCORED][1:], schema_version=schema_version, limits=limits)
    found, head, whole = heads[files[0].role]
    return read_dialect(head, schema_version, limits, final=whole) if found is Format.CSV else None


def is_pair(formats: Mapping[str, Format]) -> bool:
    """Tell by their roles whether files are those of a pipeline run. Raises UnsupportedFormat when one is no text."""
    if not {ENRICHED, SCORED} <= formats.keys():
        return False
    for role in (ENRICHED, SCORED):
        if (found := formats[role]) is not Format.CSV:
            detail = f"The {role} file is {found}; the two files of a pipeline run are CSV or TSV."
            raise UnsupportedFormat(detail, found=found, file=role)
    return True


def read_head(file: SubmittedFile, size: int) -> tuple[Format, bytes, bool]:
    """Return the format of a file, its first bytes and whether they are all of it. Raises UnsupportedFormat."""
    head, whole = first_block(file.path, size)
    return detect_format(file.media_type, file.filename, head[:HEAD_BYTES]), head, whole
