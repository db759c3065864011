"""Return the rejections of an import as CSV, with their original cells, ready to be mended and sent again."""

import csv
import io
import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

from glyphd.domain.issues import Issue, Rejection
from glyphd.errors import FileFault
from glyphd.ingest.readers import DELIMITERS_OF
from glyphd.ingest.readers.dialect import Dialect, read_dialect
from glyphd.ingest.readers.scan import split_record
from glyphd.ingest.submitted import SubmittedFile, read_head
from glyphd.services.context import Context
from glyphd.services.inspecting import StoredArtifact, inspect_artifact
from glyphd.store import imports, rejections

_PAGE = 1000
OWN_COLUMNS = ("import_index", "_issues")

_ESCAPE = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(u[dD][89a-fA-F][0-9a-fA-F]{2})|.)", re.DOTALL
)
"""An escape in JSON: a pair of surrogates, a lone one (the group), or any other."""


def return_rejections(context: Context, import_id: str) -> Iterator[bytes]:
    """Yield the lines of a CSV file: `import_index`, `_issues`, then the columns as submitted; bytes as they came.

    Raises ImportNotFound, ArtifactNotFound, ArtifactDamaged before the first line.
    """
    stored = inspect_artifact(context, import_id)
    try:
        dialect = _dialect(context, import_id, stored)
    except FileFault:  # the header itself is at fault, so that no record was read
        return _lines((), iter(()))
    if dialect:
        return _lines(dialect.header, (_prefix(r) + _cells(r.raw, dialect) for r in _all(context, import_id)))
    header = _members(context, import_id)
    return _lines(header, (_prefix(r) + _values(r.raw, header) for r in _all(context, import_id)))


def _dialect(context: Context, import_id: str, stored: StoredArtifact) -> Dialect | None:
    """Return how the file is written if it is a CSV; the records of the other formats are JSON in the ledger."""
    artifact = stored.artifact
    file = SubmittedFile(stored.path, artifact.media_type, artifact.filename, artifact.role)
    file_format, head, whole = read_head(file, context.limits.block_bytes)
    if file_format not in DELIMITERS_OF:
        return None
    with context.database.reading() as connection:
        schema_version = imports.find_import(connection, import_id).schema_version
    delimiters = DELIMITERS_OF[file_format]
    return read_dialect(head, schema_version, context.limits, final=whole, delimiters=delimiters)


def _cells(raw: bytes, dialect: Dialect) -> list[str]:
    return [cell.decode("utf-8", "surrogateescape") for cell in split_record(raw, dialect.delimiter)]


def _all(context: Context, import_id: str) -> Iterator[Rejection]:
    """Read page by page: a download that takes long must not hold a snapshot open."""
    last = 0
    while True:
        with context.database.reading() as connection:
            found, more = rejections.list_rejections(connection, import_id, limit=_PAGE, after_index=last)
        yield from found
        if not more:
            return
        last = found[-1].import_index


def _prefix(rejection: Rejection) -> list[str]:
    return [str(rejection.import_index), "; ".join(map(_said, rejection.issues))]


def _said(issue: Issue) -> str:
    return f"{issue.field or 'record'}: {issue.code}"


def _lines(header: Sequence[str], rows: Iterator[list[str]]) -> Iterator[bytes]:
    """Write rows as CSV; bytes that are not UTF-8 travel as surrogates and come out as they came."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow([*OWN_COLUMNS, *header])
    for row in rows:
        writer.writerow(row)
        if buffer.tell() > 1 << 16:
            yield _taken(buffer)
    yield _taken(buffer)


def _taken(buffer: io.StringIO) -> bytes:
    text = buffer.getvalue()
    buffer.seek(0)
    buffer.truncate()
    return text.encode("utf-8", "surrogateescape")


def _members(context: Context, import_id: str) -> list[str]:
    """Return the member names of all rejected JSON records, in the order they first come."""
    return list(dict.fromkeys(name for rejection in _all(context, import_id) for name in _decoded(rejection.raw)))


def _values(raw: bytes, header: Sequence[str]) -> list[str]:
    record = _decoded(raw)
    return [_text(record.get(name)) for name in header]


def _decoded(raw: bytes) -> dict[str, Any]:
    """Return a JSON record's members; one that is no object has none, and its line says so in `_issues`.

    Bytes that are not UTF-8 travel as surrogates, and a surrogate that was submitted as an escape stays one.
    """
    escaped = _ESCAPE.sub(lambda found: b"\\" + found[0] if found[1] else found[0], raw)
    text = escaped.decode("utf-8", "surrogateescape")
    try:
        record = json.loads(text, parse_float=str, parse_int=str, parse_constant=str)
    except (ValueError, RecursionError):
        return {}
    return record if isinstance(record, dict) else {}


def _text(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
