"""Return the rejections of an import as CSV, with their original cells, ready to be mended and sent again."""

import csv
import io
import json
import re
from collections.abc import Generator, Iterator, Sequence
from itertools import chain
from typing import Any

from glyphd.domain.issues import Issue, Rejection
from glyphd.domain.report import RejectionVariant
from glyphd.errors import FileFault, UnsupportedFormat
from glyphd.ingest.submitted import read_columns
from glyphd.services.context import Context
from glyphd.services.inspecting import inspect_artifacts
from glyphd.store import imports, rejections

_PAGE = 1000


OWN_COLUMNS = ("import_index", "_issues")

_BYTE_ORDER_MARK = "\ufeff"

_FORMULA_STARTS = frozenset("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")
_PLAIN_NUMBER = re.compile(r"[+-]?[0-9.,]+(?:[eE][+-]?[0-9]+)?")

_ESCAPE = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(u[dD][89a-fA-F][0-9a-fA-F]{2})|.)", re.DOTALL
)
"""An escape in JSON: a pair of surrogates, a lone one (the group), or any other."""


def return_rejections(
    context: Context, import_id: str, variant: RejectionVariant = RejectionVariant.ROUNDTRIP
) -> Generator[bytes, None, None]:
    """Yield the lines of a CSV file: `import_index`, `_issues`, then the columns as submitted.

    `roundtrip`: the bytes as they came. `spreadsheet`: what a spreadsheet would run as a formula begins with `'`, and
    the file with a byte order mark, by which Excel knows UTF-8.

    Raises ImportNotFound, ArtifactNotFound, ArtifactDamaged before the first line.
    """
    header, records = _records(context, import_id)
    rows = chain([[*OWN_COLUMNS, *header]], (_own_cells(rejection) + cells for rejection, cells in records))
    if variant is RejectionVariant.ROUNDTRIP:
        return _lines(rows)
    return _lines((list(map(_without_formula, row)) for row in rows), _BYTE_ORDER_MARK)


def _records(context: Context, import_id: str) -> tuple[Sequence[str], Iterator[tuple[Rejection, list[str]]]]:
    """Return the columns as submitted, and each rejection with its cells."""
    with context.database.reading() as connection:
        entry = imports.find_import(connection, import_id)
    files = [stored.submitted() for stored in inspect_artifacts(context, import_id)]
    try:
        columns = read_columns(files, schema_version=entry.schema_version, limits=context.limits)
    except (FileFault, UnsupportedFormat):  # the header itself is at fault, so that no record was read
        return (), iter(())
    if columns:
        return columns.header, ((each, _texts(columns.cells(each.raw))) for each in _all(context, import_id))
    header = _members(context, import_id)
    return header, ((rejection, _values(rejection.raw, header)) for rejection in _all(context, import_id))


def _without_formula(cell: str) -> str:
    """Return a cell that no spreadsheet runs (OWASP, CSV injection); a plain number is none, signed or not."""
    return f"'{cell}" if cell[:1] in _FORMULA_STARTS and not _PLAIN_NUMBER.fullmatch(cell) else cell


def _texts(cells: list[bytes]) -> list[str]:
    return [cell.decode("utf-8", "surrogateescape") for cell in cells]


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


def _own_cells(rejection: Rejection) -> list[str]:
    return [str(rejection.import_index), "; ".join(map(_said, rejection.issues))]


def _said(issue: Issue) -> str:
    return f"{issue.field or 'record'}: {issue.code}"


def _lines(rows: Iterator[list[str]], mark: str = "") -> Generator[bytes, None, None]:
    """Write rows as CSV; bytes that are not UTF-8 travel as surrogates and come out as they came."""
    buffer = io.StringIO()
    buffer.write(mark)
    writer = csv.writer(buffer, lineterminator="\n")
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
