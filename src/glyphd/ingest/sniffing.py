"""What the first bytes of a file say about its format, where they can say it for sure."""

import re

import msgspec

from glyphd.domain.listing import DEFAULT_SCHEMA_VERSION
from glyphd.ingest.columns import resolve_columns
from glyphd.ingest.media_types import Compression, Format
from glyphd.ingest.readers.dialect import DELIMITERS

_FOREIGN = {
    b"PK\x03\x04": "zip (or an Excel workbook)",
    b"BZh": "bzip2",
    b"\xfd7zXZ\x00": "xz",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook",
    b"%PDF": "PDF",
    b"ARROW1": "Arrow",
    b"SQLite format 3\x00": "a SQLite database",
}
_COMPRESSED = {b"\x1f\x8b": Compression.GZIP, b"\x28\xb5\x2f\xfd": Compression.ZSTD}
_PARQUET = (b"PAR1", b"PARE")
_BATCH = re.compile(rb'\{\s*"listings"\s*:\s*\[')
_ARRAY = re.compile(rb"\[\s*[\[{\]]")
_BOM = b"\xef\xbb\xbf"

FEWEST_FIELDS = 2
"""So many columns of the contract make a line the header of a CSV file."""


def sniff_compression(head: bytes) -> Compression | None:
    """Return how the content is compressed, told by its signature."""
    return next((kind for mark, kind in _COMPRESSED.items() if head.startswith(mark)), None)


def sniff_foreign(head: bytes) -> str | None:
    """Return what the content is when it is none of the formats that are taken."""
    return next((name for mark, name in _FOREIGN.items() if head.startswith(mark)), None)


def sniff_format(head: bytes) -> Format | None:
    """Return the format of content that can be no other; None where there is a doubt."""
    if head.startswith(_PARQUET):
        return Format.PARQUET
    text = head.removeprefix(_BOM).lstrip()
    if text[:1] in {b"{", b"["}:
        return _sniff_json(text)
    return _sniff_delimited(text)


def guess_format(head: bytes) -> Format:
    """Return the likeliest format of content that nothing else is known about."""
    text = head.removeprefix(_BOM).strip()
    if sure := sniff_format(head):
        return sure
    if text[:1] not in {b"{", b"["}:
        return Format.CSV
    return Format.NDJSON if b"\n" not in text and _is_object(text) else Format.JSON


def _sniff_json(text: bytes) -> Format | None:
    """Lines that are objects are NDJSON, one over several lines or a batch of listings is JSON."""
    first, _, rest = text.partition(b"\n")
    second = rest.lstrip().partition(b"\n")[0]
    if _is_object(second) and (_is_object(first) or not _is_value(first)) and text.startswith(b"{"):
        return Format.NDJSON
    if _BATCH.match(text) or (_ARRAY.match(text) and not (second and _is_value(first))):
        return Format.JSON
    return Format.JSON if first.strip() == b"{" and second.startswith(b'"') else None


def _is_value(line: bytes) -> bool:
    try:
        msgspec.json.decode(line, type=msgspec.Raw)
    except (msgspec.DecodeError, RecursionError):
        return False
    return True


def _is_object(line: bytes) -> bool:
    return line.startswith(b"{") and _is_value(line)


def _sniff_delimited(text: bytes) -> Format | None:
    """Text whose first line has columns of the contract is CSV, or TSV when tabs part them."""
    line = text.partition(b"\n")[0].decode("utf-8", "replace")
    found = {chr(delimiter): _fields(line.split(chr(delimiter))) for delimiter in DELIMITERS}
    best = max(found, key=lambda delimiter: found[delimiter])
    if found[best] < FEWEST_FIELDS:
        return None
    return Format.TSV if best == "\t" else Format.CSV


def _fields(header: list[str]) -> int:
    return len(resolve_columns([name.strip().strip('"') for name in header], DEFAULT_SCHEMA_VERSION).fields)
