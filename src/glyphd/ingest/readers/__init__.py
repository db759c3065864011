"""One module a format; :data:`READERS` is the only place that knows them all."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Protocol

from glyphd.ingest.media_types import Format
from glyphd.ingest.readers.csv import open_csv
from glyphd.ingest.readers.dialect import DELIMITERS
from glyphd.ingest.readers.json import JsonReader
from glyphd.ingest.readers.ndjson import NdjsonReader
from glyphd.ingest.readers.parquet import ParquetReader
from glyphd.ingest.records import Limits, RecordReader


class OpenReader(Protocol):
    """What opens a file of one format."""

    def __call__(self, path: Path, *, schema_version: str, limits: Limits) -> RecordReader:
        """Return a reader of the file's records. Raises FileFault."""
        ...


DELIMITERS_OF: Mapping[Format, bytes] = MappingProxyType({Format.CSV: DELIMITERS, Format.TSV: b"\t"})
"""The formats that the CSV reader reads, and the delimiters that each may have."""

READERS: Mapping[Format, OpenReader] = MappingProxyType(
    {
        **{kind: partial(open_csv, delimiters=delimiters) for kind, delimiters in DELIMITERS_OF.items()},
        Format.JSON: JsonReader,
        Format.NDJSON: NdjsonReader,
        Format.PARQUET: ParquetReader,
    }
)


def open_records(path: Path, file_format: Format, *, schema_version: str, limits: Limits | None = None) -> RecordReader:
    """Open a file of a known format. Raises :class:`~glyphd.errors.FileFault`, here or while it is read."""
    return READERS[file_format](path, schema_version=schema_version, limits=limits or Limits())
