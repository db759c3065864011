"""Which format a body has, told by its content type, its name and its first bytes."""

from collections.abc import Mapping
from enum import StrEnum
from pathlib import PurePosixPath
from types import MappingProxyType

from glyphd.errors import UnsupportedFormat


class Format(StrEnum):
    """The formats that can be imported. Each is one module in ``readers/``."""

    CSV = "csv"
    JSON = "json"


SUPPORTED_MEDIA_TYPES: Mapping[str, Format] = MappingProxyType(
    {
        "text/csv": Format.CSV,
        "application/csv": Format.CSV,
        "text/plain": Format.CSV,
        "text/tab-separated-values": Format.CSV,
        "application/vnd.ms-excel": Format.CSV,  # what Windows browsers say of a .csv when Excel is installed
        "application/json": Format.JSON,
        "text/json": Format.JSON,
    }
)

_UNSAID = frozenset(
    {
        "",
        "*/*",
        "application/octet-stream",
        "binary/octet-stream",
        "application/unknown",
        "application/x-www-form-urlencoded",  # what curl says of any --data-binary
        "multipart/form-data",
    }
)
"""Media types that clients send when they do not know: they say nothing."""

_VAGUE = frozenset({"text/plain", "application/vnd.ms-excel"})
"""Media types that a name speaks louder than: a .json file is often sent as text/plain."""

SUFFIXES: Mapping[str, Format] = MappingProxyType(
    {".csv": Format.CSV, ".tsv": Format.CSV, ".tab": Format.CSV, ".txt": Format.CSV, ".json": Format.JSON}
)

_MAGIC = {
    b"\x1f\x8b": "gzip",
    b"PK\x03\x04": "zip (or an Excel workbook)",
    b"PAR1": "Parquet",
    b"\x28\xb5\x2f\xfd": "Zstandard",
    b"BZh": "bzip2",
    b"\xfd7zXZ\x00": "xz",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook",
    b"%PDF": "PDF",
    b"ARROW1": "Arrow",
    b"SQLite format 3\x00": "a SQLite database",
}

_FOREIGN_SUFFIXES = {
    ".gz": "gzip",
    ".zip": "zip",
    ".zst": "Zstandard",
    ".bz2": "bzip2",
    ".xz": "xz",
    ".parquet": "Parquet",
    ".ndjson": "NDJSON",
    ".jsonl": "NDJSON",
    ".xls": "an Excel workbook",
    ".xlsx": "an Excel workbook",
    ".arrow": "Arrow",
    ".feather": "Arrow",
}


def detect_format(media_type: str | None, filename: str | None, head: bytes) -> Format:
    """Return the format of a body: its content type says it, else its name, else its first bytes ``head``.

    Raises UnsupportedFormat for anything else, and when two of them contradict each other.
    """
    said = _by_media_type(media_type)
    named = _by_name(filename)
    if magic := next((name for mark, name in _MAGIC.items() if head.startswith(mark)), None):
        raise _unsupported(f"The content is {magic}.", found=magic)
    if said and named and said is not named:
        if _essence(media_type) not in _VAGUE:
            raise _unsupported(f"The content type says {said} and the name {filename} says {named}.", found=filename)
        return named
    return said or named or _by_content(head)


def _essence(media_type: str | None) -> str:
    """Return a media type without its parameters."""
    return (media_type or "").partition(";")[0].strip().lower()


def _by_media_type(media_type: str | None) -> Format | None:
    essence = _essence(media_type)
    if essence in _UNSAID:
        return None
    if essence not in SUPPORTED_MEDIA_TYPES:
        raise _unsupported(f"The content type {essence} cannot be imported.", found=essence)
    return SUPPORTED_MEDIA_TYPES[essence]


def _by_name(filename: str | None) -> Format | None:
    suffix = PurePosixPath((filename or "").replace("\\", "/")).suffix.lower()
    if suffix in _FOREIGN_SUFFIXES:
        raise _unsupported(f"The name {filename} says {_FOREIGN_SUFFIXES[suffix]}.", found=_FOREIGN_SUFFIXES[suffix])
    return SUFFIXES.get(suffix)


def _by_content(head: bytes) -> Format:
    """JSON begins with a bracket; everything else is read as CSV, whose reader says what is wrong with it."""
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    return Format.JSON if text[:1] in {b"[", b"{"} else Format.CSV


def _unsupported(detail: str, found: str | None) -> UnsupportedFormat:
    supported = sorted(SUPPORTED_MEDIA_TYPES)
    return UnsupportedFormat(f"{detail} Supported are {', '.join(supported)}.", found=found, supported=supported)
