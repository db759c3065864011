"""The formats and compressions that are taken, their media types and the suffixes of their files."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType


class Format(StrEnum):
    """The formats that can be imported: one reader each, but TSV is CSV that has no other delimiter."""

    CSV = "CSV"
    TSV = "TSV"
    JSON = "JSON"
    NDJSON = "NDJSON"
    PARQUET = "Parquet"


class Compression(StrEnum):
    """How a file may be compressed, and how a request may encode its body."""

    GZIP = "gzip"
    ZSTD = "Zstandard"


SUPPORTED_MEDIA_TYPES: Mapping[str, Format | Compression] = MappingProxyType(
    {
        "text/csv": Format.CSV,
        "application/csv": Format.CSV,
        "text/tab-separated-values": Format.TSV,
        "application/json": Format.JSON,
        "text/json": Format.JSON,
        "application/x-ndjson": Format.NDJSON,
        "application/ndjson": Format.NDJSON,
        "application/jsonl": Format.NDJSON,
        "application/jsonlines": Format.NDJSON,
        "application/x-jsonlines": Format.NDJSON,
        "application/vnd.apache.parquet": Format.PARQUET,
        "application/parquet": Format.PARQUET,
        "application/x-parquet": Format.PARQUET,
        "application/gzip": Compression.GZIP,
        "application/x-gzip": Compression.GZIP,
        "application/zstd": Compression.ZSTD,
        "application/x-zstd": Compression.ZSTD,
    }
)

MEDIA_TYPES: Mapping[Format | Compression, str] = MappingProxyType(
    {
        Format.CSV: "text/csv",
        Format.TSV: "text/tab-separated-values",
        Format.JSON: "application/json",
        Format.NDJSON: "application/x-ndjson",
        Format.PARQUET: "application/vnd.apache.parquet",
        Compression.GZIP: "application/gzip",
        Compression.ZSTD: "application/zstd",
    }
)
"""The one media type that an artifact is kept under."""

UNSAID = frozenset(
    {
        "",
        "*/*",
        "application/octet-stream",
        "binary/octet-stream",
        "application/unknown",
        "application/x-www-form-urlencoded",  # what curl says of any --data-binary
        "multipart/form-data",
        "text/plain",
        "application/vnd.ms-excel",  # what Windows browsers say of a .csv when Excel is installed
    }
)
"""Media types that clients send when they do not know: they say nothing."""

SUFFIXES: Mapping[str, Format | Compression] = MappingProxyType(
    {
        ".csv": Format.CSV,
        ".tsv": Format.TSV,
        ".tab": Format.TSV,
        ".json": Format.JSON,
        ".ndjson": Format.NDJSON,
        ".jsonl": Format.NDJSON,
        ".parquet": Format.PARQUET,
        ".pq": Format.PARQUET,
        ".gz": Compression.GZIP,
        ".zst": Compression.ZSTD,
    }
)

FOREIGN_SUFFIXES = {
    ".zip": "zip",
    ".tgz": "a tar archive",
    ".bz2": "bzip2",
    ".xz": "xz",
    ".xls": "an Excel workbook",
    ".xlsx": "an Excel workbook",
    ".arrow": "Arrow",
    ".feather": "Arrow",
}
