"""Validate a batch before it is sent: what an import would answer, by the same way, and nothing of it stays."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from glyphd.domain.imports import Artifact
from glyphd.domain.report import ValidationReport
from glyphd.errors import FileFault
from glyphd.ingest.media_types import Format
from glyphd.ingest.submitted import HEAD_BYTES, SubmittedFile, read_head
from glyphd.services.context import Context
from glyphd.services.options import DEFAULT_SOURCE, ImportOptions
from glyphd.services.receiving import passing, store_file
from glyphd.services.rehearsing import Findings, Rehearsal, rehearse
from glyphd.store import imports


def validate_files(context: Context, options: ImportOptions, files: Mapping[str, Path]) -> ValidationReport:
    """Validate local files, given by role, as one batch in this process; a batch of one file has the role `batch`.

    Raises UnsupportedFormat, NoSpaceLeft, MalformedRequest.
    """
    with passing(context) as own:
        stored = [store_file(own, file, role) for role, file in files.items()]
        with own.artifacts.scratch() as spool:
            findings = rehearse(rehearsal_of(own, options, stored, spool))
        return report_validation(own, options, stored, findings)


def rehearsal_of(context: Context, options: ImportOptions, stored: Sequence[Artifact], spool: Path) -> Rehearsal:
    """Return what is to be rehearsed of artifacts of a :func:`passing` context."""
    return Rehearsal(
        files=[_submitted(context, artifact) for artifact in stored],
        schema_version=options.schema_version,
        on_error=options.on_error,
        received_at=context.clock(),
        limits=context.limits,
        spool=spool,
    )


def _submitted(context: Context, artifact: Artifact) -> SubmittedFile:
    return SubmittedFile(
        context.artifacts.locate(artifact.sha256), artifact.media_type, artifact.filename, artifact.role
    )


def report_validation(
    context: Context, options: ImportOptions, stored: Sequence[Artifact], findings: Findings
) -> ValidationReport:
    """Say of what was found what the ledger adds to it: whether the batch is there already."""
    with context.database.reading() as connection:
        duplicate_of = imports.earlier_duplicate(connection, options.source or DEFAULT_SOURCE, stored)
    return ValidationReport(
        **{name: getattr(findings, name) for name in Findings.__dataclass_fields__},
        would_import=findings.failure is None,
        schema_version=options.schema_version,
        format=_format(context, stored[0]),
        duplicate_of=duplicate_of,
        artifacts=list(stored),
    )


def _format(context: Context, artifact: Artifact) -> Format | None:
    try:
        return read_head(_submitted(context, artifact), HEAD_BYTES)[0]
    except FileFault:  # the compression is broken, which is the failure
        return None
