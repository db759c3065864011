"""CSV: scanned for records, then parsed by pyarrow, block by block in constant memory."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import csv as arrow_csv

from glyphd.domain.issues import DESCRIPTIONS, IssueCode, Rejection
from glyphd.errors import CountsDisagree
from glyphd.ingest.columns import ColumnMapping, map_columns
from glyphd.ingest.readers.dialect import Dialect, empty_file, first_block, read_dialect
from glyphd.ingest.readers.faults import check_nul, check_remainder, check_sizes
from glyphd.ingest.readers.locate import Block
from glyphd.ingest.readers.scan import Positions, Scan, scan_block
from glyphd.ingest.records import IMPORT_INDEX, Chunk, Limits, malformed_record

_BOM = b"\xef\xbb\xbf"

Mask = NDArray[np.bool_]


class CsvReader:
    """Reads a CSV file as records of raw text cells. Its columns are known before its records."""

    def __init__(self, path: Path, dialect: Dialect, limits: Limits) -> None:
        """Read the columns that ``dialect`` resolves; :func:`open_csv` is for the usual ones."""
        self._path = path
        self._limits = limits
        self._dialect = dialect
        self._columns = map_columns(dialect.header, dialect.resolution)

    @property
    def columns(self) -> ColumnMapping:
        """How the header maps to fields."""
        return self._columns

    def __iter__(self) -> Iterator[Chunk]:
        """Yield chunks. Raises EmptyFile, NulByte, UnterminatedQuote, CellTooLarge or RecordTooLarge."""
        received = 0
        for text, scan in self._blocks():
            records = _Records.of(text, scan, received + 1)
            for part in records.parts(self._limits.chunk_records):
                yield _chunk(part, self._dialect)
                received += part.starts.size
        if received == 0:
            raise empty_file("The file has a header and no record.", found="a header", line=self._dialect.line)

    def _blocks(self) -> Iterator[tuple[bytes, Scan]]:
        """Yield blocks that begin at the start of a record, each with the scan of its complete records."""
        dialect, limits = self._dialect, self._limits
        with self._path.open("rb") as file:
            offset = file.seek(dialect.body)
            remainder, final = b"", False
            while not final:
                read = file.read(limits.block_bytes)
                final = len(read) < limits.block_bytes
                block = Block(self._path, remainder + read, offset, dialect.delimiter, dialect.header)
                if not block.text:
                    return
                check_nul(block)
                scan = scan_block(block.text, dialect.delimiter, final=final)
                check_sizes(block, scan, limits)
                yield block.text, scan
                check_remainder(block, scan, limits, final=final)
                remainder = block.text[scan.consumed :]
                offset += scan.consumed


def open_csv(path: Path, *, schema_version: str, limits: Limits) -> CsvReader:
    """Open a file that holds whole listings.

    Raises EmptyFile, WrongEncoding, TooManyColumns, DuplicateHeader or MissingColumn.
    """
    head, whole = first_block(path, limits.block_bytes)
    return CsvReader(path, read_dialect(head, schema_version, limits, final=whole), limits)


@dataclass(frozen=True, slots=True)
class _Records:
    """Consecutive records of a block, the first of them number ``first_index``."""

    text: bytes
    starts: Positions
    ends: Positions
    cells: Positions
    first_index: int
    whole: bool
    """Nothing but these records and empty lines lies between the first and the last of them."""
    unicode: bool

    @classmethod
    def of(cls, text: bytes, scan: Scan, first_index: int) -> "_Records":
        """Leave out blank lines."""
        blank = scan.ends == scan.starts
        spaces = [at for at in np.flatnonzero((scan.cells == 1) & ~blank).tolist() if _is_blank(text, scan, at)]
        blank[spaces] = True
        keep = ~blank
        decodes = text.isascii() or _is_utf8(text[: scan.consumed])
        return cls(text, scan.starts[keep], scan.ends[keep], scan.cells[keep], first_index, not spaces, decodes)

    def parts(self, size: int) -> Iterator["_Records"]:
        """Yield these records in stretches of at most ``size``."""
        for first in range(0, self.starts.size, size):
            part = slice(first, first + size)
            yield _Records(
                self.text,
                self.starts[part],
                self.ends[part],
                self.cells[part],
                self.first_index + first,
                self.whole,
                self.unicode,
            )

    def raw(self, import_index: int) -> bytes:
        """Return the bytes of a record, without its terminator."""
        at = import_index - self.first_index
        return self.text[self.starts[at] : self.ends[at]]

    def text_of(self, good: Mask) -> bytes:
        """Return CSV text that holds exactly the good records."""
        if self.whole and good.all():
            text = self.text[self.starts[0] : self.ends[-1]]
        else:
            spans = zip(self.starts[good].tolist(), self.ends[good].tolist(), strict=True)
            text = b"\n".join([self.text[start:end] for start, end in spans])
        # pyarrow drops a byte order mark at the start of any text it is given; an empty line it skips
        return b"\n" + text if text.startswith(_BOM) else text


def _is_blank(text: bytes, scan: Scan, at: int) -> bool:
    return not text[scan.starts[at] : scan.ends[at]].strip()


def _is_utf8(text: bytes) -> bool:
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True


def _chunk(records: _Records, dialect: Dialect) -> Chunk:
    width = len(dialect.header)
    good = records.cells == width
    malformed = [
        malformed_record(index, records.raw(index), IssueCode.RAGGED_ROW, _ragged(int(records.cells[at]), width))
        for at in np.flatnonzero(~good).tolist()
        for index in (records.first_index + at,)
    ]
    if not records.unicode:
        malformed += _take_out_undecodable(records, good)
        malformed.sort(key=lambda rejection: rejection.import_index)
    cells = _parse(records.text_of(good), int(good.sum()), dialect)
    indices = pl.Series(IMPORT_INDEX, records.first_index + np.flatnonzero(good), dtype=pl.Int64)
    return Chunk(records.first_index, records.starts.size, cells.insert_column(0, indices), records.raw, malformed)


def _ragged(found: int, expected: int) -> str:
    return f"{DESCRIPTIONS[IssueCode.RAGGED_ROW]} Found {found}, expected {expected}."


def _take_out_undecodable(records: _Records, good: Mask) -> list[Rejection]:
    """Reject the good records that are not UTF-8, and strike them from ``good``."""
    rejections = []
    for at in np.flatnonzero(good).tolist():
        index = records.first_index + at
        if not _is_utf8(raw := records.raw(index)):
            rejections.append(malformed_record(index, raw, IssueCode.INVALID_ENCODING))
            good[at] = False
    return rejections


def _parse(text: bytes, expected: int, dialect: Dialect) -> pl.DataFrame:
    """Return the fields' columns as text. Raises CountsDisagree when pyarrow sees other records than the scan."""
    fields = dialect.resolution.fields
    if expected == 0:
        return pl.DataFrame(schema=dict.fromkeys(fields, pl.String))
    names = [str(position) for position in range(len(dialect.header))]
    wanted = [names[position] for position in fields.values()]
    table = arrow_csv.read_csv(
        pa.BufferReader(text),
        read_options=arrow_csv.ReadOptions(column_names=names, block_size=max(len(text), 1)),
        parse_options=arrow_csv.ParseOptions(delimiter=chr(dialect.delimiter), newlines_in_values=b'"' in text),
        convert_options=arrow_csv.ConvertOptions(
            check_utf8=False,
            column_types=dict.fromkeys(wanted, pa.string()),
            include_columns=wanted,
        ),
    )
    if table.num_rows != expected:
        raise CountsDisagree(f"The parser read {table.num_rows} records where the scan found {expected}.")
    return pl.DataFrame(table.rename_columns(list(fields)))
