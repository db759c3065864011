"""Records of JSON, wherever they stood: cut into cells, or rejected with their bytes."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain, islice
from typing import Any

import msgspec
import polars as pl

from glyphd.domain.issues import DESCRIPTIONS, IssueCode, Rejection
from glyphd.domain.listing import FIELDS, FieldType
from glyphd.errors import CellTooLarge, TooManyColumns
from glyphd.ingest.columns import SUPERSEDED_COLUMN, ColumnMapping, resolve_columns
from glyphd.ingest.readers.json_text import NotJson, RepeatedMembers, as_bytes
from glyphd.ingest.records import IMPORT_INDEX, Chunk, Limits, malformed_record

_KNOWN_NAMES = 10_000
"""So many different sets of member names are remembered; more are looked up again each time."""

_FEW = 256

Names = tuple[str, ...]
Record = tuple[Any, str]
"""A value, numbers as text, and the stretch of text that it was read from."""

NOT_TEXT = "{member} must be text, not a boolean, an array or an object"

_TEXTUAL = {str, type(None)}
TEXT_FIELDS = {field.name for field in FIELDS if field.type in {FieldType.TEXT, FieldType.URL, FieldType.TIMESTAMP}}
_RAW_MEMBERS = msgspec.json.Decoder(dict[str, msgspec.Raw])


class RecordCutter:
    """Cuts the records of one file into cells, chunk by chunk."""

    def __init__(self, schema_version: str, limits: Limits) -> None:
        """Begin with no member known and record number 1."""
        self._limits = limits
        self._members = Members(schema_version, limits.columns)

    @property
    def columns(self) -> ColumnMapping:
        """How member names map to fields, over all records so far."""
        return self._members.mapping

    def chunks(self, records: Iterator[Record]) -> Iterator[Chunk]:
        """Yield chunks. Raises CellTooLarge or TooManyColumns."""
        received = read = 0
        for batch in _batches(records, self._limits):
            chunk = ChunkInMaking(received + 1)
            for few in batch:
                self._cut(few, chunk)
            read += sum(map(len, chunk.texts))  # about: characters, without what is between records
            yield chunk.finished(read)
            received += len(chunk.texts)

    def _cut(self, records: list[Record], chunk: "ChunkInMaking") -> None:
        """Cut records into cells and add them to a chunk."""
        good: dict[int, Record] = {}
        for index, record in enumerate(records, start=chunk.first_index + len(chunk.texts)):
            if fault := _fault(record, self._members):
                chunk.malformed.append(malformed_record(index, as_bytes(record[1]), *fault))
            else:
                good[index] = record
        indices = pl.Series(IMPORT_INDEX, list(good), dtype=pl.Int64)
        cells = pl.DataFrame([indices, *self._columns(list(good.values()))])
        check_cells(cells, self._limits)
        chunk.cells.append(cells)
        chunk.texts += [text for _, text in records]

    def _columns(self, records: list[Record]) -> Iterator[pl.Series]:
        """Yield one String column per field that any of the records has."""
        by_names: dict[Names, list[int]] = {}
        for at, (value, _) in enumerate(records):
            by_names.setdefault(tuple(value), []).append(at)
        columns: dict[str, list[str | None]] = {}
        for names, places in by_names.items():
            members = self._members.fields(names)
            for field_name, cells in zip(members, _cells([records[at] for at in places], members), strict=True):
                if len(places) == len(records):
                    columns[field_name] = cells
                    continue
                column = columns.setdefault(field_name, [None] * len(records))
                for at, cell in zip(places, cells, strict=True):
                    column[at] = cell
        for field_name, column in columns.items():
            yield pl.Series(field_name, column, dtype=pl.String)


def check_cells(cells: pl.DataFrame, limits: Limits) -> None:
    """Raise CellTooLarge for a cell of more bytes than the limit."""
    for column in cells.select(pl.col(pl.String)).iter_columns():
        large = cells.filter(column.str.len_bytes() > limits.cell_bytes)
        if not large.is_empty():
            size = len(large[column.name][0].encode())
            raise cell_too_large(column.name, large[IMPORT_INDEX][0], size, limits)


def cell_too_large(name: str, import_index: int, size: int, limits: Limits) -> CellTooLarge:
    """Return the fault of a cell that has no line and column."""
    return CellTooLarge(
        f"The {name} of record {import_index} has more than {limits.cell_bytes} bytes.",
        import_index=import_index,
        field=name,
        found=size,
        expected=limits.cell_bytes,
    )


def _batches(records: Iterator[Record], limits: Limits) -> Iterator[Iterator[list[Record]]]:
    """Yield chunks of records, each a few at a time: out of the caches it took 4.8 s instead of 3.2."""
    for first in records:
        yield _few_at_a_time(chain([first], records), limits)


def _few_at_a_time(records: Iterator[Record], limits: Limits) -> Iterator[list[Record]]:
    count = size = 0
    while count < limits.chunk_records and size < limits.block_bytes:
        few: list[Record] = []
        size_before = size
        for record in islice(records, min(_FEW, limits.chunk_records - count)):
            few.append(record)
            size += len(record[1])
            if size - size_before > limits.record_bytes:
                break
        if not few:
            return
        count += len(few)
        yield few


class Members:
    """Finds the fields among the member names of records; records mostly have the same ones."""

    def __init__(self, schema_version: str, most: int) -> None:
        self.mapping = ColumnMapping()
        self._schema_version = schema_version
        self._most = most
        self._known: dict[Names, dict[str, str]] = {}
        self._seen: dict[str, None] = {}
        self._superseded: set[str] = set()

    def not_text(self, record: dict[str, Any]) -> str | None:
        """Return the first member that is a text field and holds something else; numbers have come as text."""
        for name, member in self.fields(tuple(record)).items():
            if name in TEXT_FIELDS and type(record[member]) not in _TEXTUAL:
                return member
        return None

    def fields(self, names: Names) -> dict[str, str]:
        """Return field → member name for records with these members. Raises TooManyColumns."""
        found = self._known.get(names)
        if found is None:
            found = self._resolve(names)
            if len(self._known) < _KNOWN_NAMES:
                self._known[names] = found
        return found

    def _resolve(self, names: Names) -> dict[str, str]:
        resolution = resolve_columns(names, self._schema_version)
        fields = {field_name: names[position] for field_name, position in resolution.fields.items()}
        self._seen |= dict.fromkeys(map(_displayable, names))
        if len(self._seen) > self._most:
            raise TooManyColumns(
                f"The records have more than {self._most} different members.",
                found=len(self._seen),
                expected=self._most,
            )
        self._superseded |= {names[position] for position in resolution.superseded}
        self.mapping.mapping |= {member: field_name for field_name, member in fields.items()}
        self.mapping.header[:] = self._seen
        self.mapping.ignored[:] = [name for name in self._seen if name not in self.mapping.mapping]
        if self._superseded:
            self.mapping.warning_counts[SUPERSEDED_COLUMN] = len(self._superseded)
        return fields


def _displayable(name: str) -> str:
    """Return a member name that can be encoded: lone surrogates are written as escapes."""
    return name.encode("utf-8", "backslashreplace").decode()


@dataclass(slots=True)
class ChunkInMaking:
    """A chunk in the making."""

    first_index: int
    cells: list[pl.DataFrame] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    malformed: list[Rejection] = field(default_factory=list)

    def finished(self, bytes_done: int) -> Chunk:
        """Return the chunk, with which so many bytes of the file are read."""
        cells = pl.concat(self.cells, how="diagonal")
        return Chunk(self.first_index, len(self.texts), cells, self._raw, self.malformed, bytes_done)

    def _raw(self, import_index: int) -> bytes:
        return as_bytes(self.texts[import_index - self.first_index])


def _fault(record: Record, members: Members) -> tuple[IssueCode, str | None] | None:
    """Return why a record cannot be cut into cells, and a message where there is more to say; None if it can."""
    value, text = record
    if type(value) is not dict:
        return _not_an_object(value)
    if not text.isascii() and not _is_encodable(text):
        return IssueCode.INVALID_ENCODING, None
    if "\\u" in text:
        cells = (value[member] for member in members.fields(tuple(value)).values())
        if not all(_is_encodable(cell) and "\0" not in cell for cell in cells if isinstance(cell, str)):
            return IssueCode.INVALID_ENCODING, None
    if member := members.not_text(value):
        return IssueCode.NOT_TEXT, NOT_TEXT.format(member=member)
    return None


def _not_an_object(value: Any) -> tuple[IssueCode, str | None]:
    if isinstance(value, NotJson):
        return IssueCode.MALFORMED_JSON, f"{DESCRIPTIONS[IssueCode.MALFORMED_JSON]} {value.what}"
    return IssueCode.DUPLICATE_MEMBER if isinstance(value, RepeatedMembers) else IssueCode.NOT_AN_OBJECT, None


def _is_encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _cells(records: list[Record], members: Mapping[str, str]) -> Iterator[list[str | None]]:
    """Yield, for records of the same members, the text of each member that is a field, column by column."""
    names = list(members.values())
    rows = (tuple(map(value.__getitem__, names)) for value, _ in records)  # by rows: by columns took four times as long
    for name, column in zip(names, zip(*rows, strict=True), strict=False):
        if {*map(type, column)} <= _TEXTUAL:
            yield list(column)
        else:
            yield [_cell_text(cell, text, name) for cell, (_, text) in zip(column, records, strict=True)]


def _cell_text(value: Any, record: str, member: str) -> str | None:
    """Return a value that is not text as text: a word, or the JSON of an array or object as submitted."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return bytes(_RAW_MEMBERS.decode(as_bytes(record))[member]).decode()
