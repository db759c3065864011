"""Parquet: flat columns of any type, each value as the text that it has in a CSV or JSON file, in bounded memory."""

import json
import struct
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import parquet, types

from glyphd.domain.issues import IssueCode
from glyphd.errors import (
    DecodedTooLarge,
    EmptyFile,
    MalformedParquet,
    NestedColumn,
    RecordTooLarge,
    TooManyColumns,
)
from glyphd.ingest.columns import ColumnMapping, check_duplicates, check_required, map_columns, resolve_columns
from glyphd.ingest.readers.arrow_text import byte_lengths, is_flat, is_textual, text_of
from glyphd.ingest.readers.dialect import is_utf8
from glyphd.ingest.readers.json_records import NOT_TEXT, TEXT_FIELDS, cell_too_large
from glyphd.ingest.readers.json_text import as_bytes, as_text
from glyphd.ingest.readers.parquet_pages import check_pages
from glyphd.ingest.records import IMPORT_INDEX, Chunk, Limits, malformed_record

_FOOTER_BYTES = 16 << 20
_BATCH_RECORDS = 8_192
_BUFFER_BYTES = 1 << 20

Sizes = NDArray[np.int64]
Fault = tuple[IssueCode, str | None]


class ParquetReader:
    """Reads a Parquet file as records of text cells. Its columns are known before its records.

    The ``raw`` of a record is a JSON object of its cells that are not null, each as text.
    """

    def __init__(self, path: Path, *, schema_version: str, limits: Limits) -> None:
        """Read the footer.

        Raises EmptyFile, MalformedParquet, TooManyColumns, DuplicateHeader, MissingColumn or NestedColumn.
        """
        _check_footer(path)
        self._path = path
        self._limits = limits
        with _read_errors(), parquet.ParquetFile(path, arrow_extensions_enabled=False) as file:
            self._schema = file.schema_arrow
            leaves, self._rows = file.metadata.num_columns, file.metadata.num_rows
        header = self._schema.names
        if max(leaves, len(header)) > limits.columns:
            raise TooManyColumns(
                f"The file has {leaves} columns; at most {limits.columns} are accepted.",
                found=leaves,
                expected=limits.columns,
            )
        resolution = resolve_columns(header, schema_version)
        check_duplicates(header, schema_version, line=1)
        check_required(header, resolution, schema_version)
        self._fields = {header[position]: name for name, position in resolution.fields.items()}
        self._columns = map_columns(header, resolution)
        self._check_flat()

    @property
    def columns(self) -> ColumnMapping:
        """How the columns map to fields."""
        return self._columns

    def _check_flat(self) -> None:
        nested = [name for name in self._fields if not is_flat(self._schema.field(name).type)]
        if nested:
            found = {name: str(self._schema.field(name).type)[:100] for name in nested}
            said = ", ".join(f"{name} is {kind}" for name, kind in found.items())
            raise NestedColumn(f"A field needs one value a record: {said}.", found=found, expected="one value a record")

    def __iter__(self) -> Iterator[Chunk]:
        """Yield chunks. Raises EmptyFile, MalformedParquet, CellTooLarge, RecordTooLarge or DecodedTooLarge."""
        received = decoded = 0
        size = self._path.stat().st_size
        for batch in self._batches():
            sizes = self._sizes(batch, received + 1)
            decoded += int(sizes.sum())
            if decoded > self._limits.decoded_bytes:
                detail = f"The file holds more than the {self._limits.decoded_bytes} bytes that this server accepts."
                raise DecodedTooLarge(detail, limit=self._limits.decoded_bytes)
            for begin, end in _stretches(sizes, self._limits):
                chunk = _Records(batch.slice(begin, end - begin), received + 1, self._fields).chunk()
                received += end - begin
                yield replace(chunk, bytes_done=size * received // max(received, self._rows))
        if received == 0:
            raise EmptyFile("The file holds no record.", found="no row", expected="at least one row")

    def _batches(self) -> Iterator[pa.RecordBatch]:
        """Yield what is decoded at a time: text stays in dictionaries, since a short page may repeat a long one."""
        names = [field.name for field in self._schema if is_flat(field.type)]
        as_dictionary = [name for name in names if is_textual(self._schema.field(name).type)]
        with (
            _read_errors(),
            parquet.ParquetFile(
                self._path,
                read_dictionary=as_dictionary,
                pre_buffer=False,
                buffer_size=_BUFFER_BYTES,
                arrow_extensions_enabled=False,
            ) as file,
        ):
            check_pages(self._path, file.metadata, frozenset(names))
            yield from file.iter_batches(_BATCH_RECORDS, columns=names, use_threads=False)

    def _sizes(self, batch: pa.RecordBatch, first_index: int) -> Sizes:
        """Return how many bytes of text each record has. Raises CellTooLarge, RecordTooLarge."""
        sizes = np.zeros(len(batch), np.int64)
        for name, column in zip(batch.schema.names, batch.columns, strict=True):
            lengths = byte_lengths(column)
            large = np.flatnonzero(lengths > self._limits.cell_bytes)
            if large.size:
                raise cell_too_large(name, first_index + int(large[0]), int(lengths[large[0]]), self._limits)
            sizes += lengths
        large = np.flatnonzero(sizes > self._limits.record_bytes)
        if large.size:
            index, most = first_index + int(large[0]), self._limits.record_bytes
            raise RecordTooLarge(f"Record {index} has more than {most} bytes.", import_index=index, expected=most)
        return sizes


def _stretches(sizes: Sizes, limits: Limits) -> Iterator[tuple[int, int]]:
    """Yield from where to where the text of records is made at a time."""
    cuts = np.flatnonzero(np.diff(np.cumsum(sizes) // limits.block_bytes)) + 1
    every = range(0, sizes.size, limits.chunk_records)
    edges = sorted({*every, *cuts.tolist(), sizes.size})
    yield from pairwise(edges)


@dataclass(slots=True)
class _Records:
    """Consecutive records, the first of them number ``first_index``; ``fields`` is column → field."""

    batch: pa.RecordBatch
    first_index: int
    fields: Mapping[str, str]
    texts: dict[str, pl.Series] = field(default_factory=dict)

    def chunk(self) -> Chunk:
        """Cut the records into cells."""
        faults = self._faults()
        malformed = [malformed_record(self.first_index + at, self._raw_at(at), *fault) for at, fault in faults.items()]
        indices = pl.Series(IMPORT_INDEX, range(self.first_index, self.first_index + len(self.batch)), pl.Int64)
        columns = [self._text(name).alias(field_name) for name, field_name in self.fields.items()]
        cells = pl.DataFrame([indices, *columns])
        if faults:
            cells = cells[sorted({*range(len(self.batch))} - set(faults))]
        cells = cells.cast(dict.fromkeys(self.fields.values(), pl.String))
        return Chunk(self.first_index, len(self.batch), cells, self.raw, malformed)

    def raw(self, import_index: int) -> bytes:
        """Return a record as a JSON object of its cells that are not null."""
        return self._raw_at(import_index - self.first_index)

    def _raw_at(self, at: int) -> bytes:
        cells = {name: self._text(name)[at] for name in self.batch.schema.names}
        said = {
            name: as_text(cell) if isinstance(cell, bytes) else cell for name, cell in cells.items() if cell is not None
        }
        return as_bytes(json.dumps(said, ensure_ascii=False))

    def _text(self, name: str) -> pl.Series:
        """Return a column as text, which is made when it is first asked for."""
        if name not in self.texts:
            self.texts[name] = text_of(self.batch.column(name))
        return self.texts[name]

    def _faults(self) -> dict[int, Fault]:
        """Return what is wrong with records that cannot be cut into cells, by their place, as for JSON."""
        faults: dict[int, Fault] = {}
        for name, field_name in self.fields.items():
            if field_name in TEXT_FIELDS and types.is_boolean(self.batch.schema.field(name).type):
                message = NOT_TEXT.format(member=name)
                places = self._text(name).is_not_null().arg_true().to_list()
                faults = dict.fromkeys(places, (IssueCode.NOT_TEXT, message)) | faults
        for name in self.batch.schema.names:
            if is_textual(self.batch.schema.field(name).type):
                places = _undecodable(self._text(name), nul=name in self.fields)
                faults |= dict.fromkeys(places, (IssueCode.INVALID_ENCODING, None))
        return dict(sorted(faults.items()))


def _undecodable(text: pl.Series, *, nul: bool) -> list[int]:
    """Return where text is not UTF-8, or holds a NUL when that is looked for."""
    holds_nul = text.bin.contains(b"\0") if text.dtype == pl.Binary else text.str.contains("\0", literal=True)
    places = holds_nul.arg_true().to_list() if nul else []
    if text.dtype == pl.Binary:
        places += [at for at, cell in enumerate(text) if cell is not None and not is_utf8(cell)]
    return places


def _check_footer(path: Path) -> None:
    """Raise EmptyFile, or MalformedParquet when the footer, which is read at once, is not there or enormous."""
    size = path.stat().st_size
    if not size:
        raise EmptyFile("The file is empty.", found="nothing", expected="at least one row")
    with path.open("rb") as file:
        file.seek(max(size - 8, 0))
        length, mark = struct.unpack("<I4s", file.read().rjust(8, b"\0"))
    if mark == b"PARE":
        raise MalformedParquet("The file is encrypted.")
    if mark != b"PAR1":
        raise MalformedParquet("The file does not end as a Parquet file does; it may have been cut off.")
    if length > min(size, _FOOTER_BYTES):
        raise MalformedParquet(f"The footer claims {length} bytes; at most {_FOOTER_BYTES} are accepted.")


@contextmanager
def _read_errors() -> Iterator[None]:
    try:
        yield
    except (pa.ArrowException, OSError) as exc:
        raise MalformedParquet(f"The file cannot be read: {str(exc)[:200]}") from exc
