"""One module a format; :data:`READERS` is the only place that knows them all."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Protocol

from glyphd.ingest.formats import Format
from glyphd.ingest.readers.csv import open_csv
from glyphd.ingest.readers.json import JsonReader
from glyphd.ingest.records import Limits, RecordReader


class OpenReader(Protocol):
    """What opens a file of one format."""

    def __call__(self, path: Path, *, schema_version: str, limits: Limits) -> RecordReader:
        """Return a reader of the file's records. Raises FileFault."""
        ...


READERS: Mapping[Format, OpenReader] = MappingProxyType({Format.CSV: open_csv, Format.JSON: JsonReader})


def open_records(path: Path, file_format: Format, *, schema_version: str, limits: Limits | None = None) -> RecordReader:
    """Open a file of a known format. Raises :class:`~glyphd.errors.FileFault`, here or while it is read."""
    return READERS[file_format](path, schema_version=schema_version, limits=limits or Limits())
