"""Records of JSON, wherever they stood: cut into cells, or rejected with their bytes."""

from collections.abc import Iterator, Mapping, Sequence
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
Column = Sequence[str | None]
Fault = tuple[IssueCode, str | None]
"""Why a record cannot be cut into cells, and a message where there is more to say."""

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
            finished = chunk.finished(read)
            _check_cells(finished.cells, self._limits)
            yield finished
            received += len(chunk.texts)

    def _cut(self, records: list[Record], chunk: "ChunkInMaking") -> None:
        """Cut records into cells and add them to a chunk."""
        first = chunk.first_index + len(chunk.texts)
        alike, faults = self._sorted_out(records)
        columns: dict[str, Column] = {}
        for names, places in alike.items():
            members, together = self._members.fields(names), [records[at] for at in places]
            for (name, member), column in zip(members.items(), _columns(together, members), strict=False):
                texts: Column = column
                if not {*map(type, column)} <= _TEXTUAL:
                    texts = [_cell_text(cell, text, member) for cell, (_, text) in zip(column, together, strict=True)]
                    if name in TEXT_FIELDS:
                        wrong = (at for at, cell in zip(places, column, strict=True) if type(cell) not in _TEXTUAL)
                        faults = dict.fromkeys(wrong, (IssueCode.NOT_TEXT, NOT_TEXT.format(member=member))) | faults
                _place(columns, name, texts, places, len(records))
        indices = pl.Series(IMPORT_INDEX, range(first, first + len(records)), pl.Int64)
        cells = pl.DataFrame([indices, *(pl.Series(name, column, pl.String) for name, column in columns.items())])
        if faults:
            cells = cells[[at for at in range(len(records)) if at not in faults]]
        chunk.cells.append(cells)
        chunk.malformed += [
            malformed_record(first + at, as_bytes(records[at][1]), *faults[at]) for at in sorted(faults)
        ]
        chunk.texts += [text for _, text in records]

    def _sorted_out(self, records: list[Record]) -> tuple[dict[Names, list[int]], dict[int, Fault]]:
        """Return the places of records that can be cut, by their member names, and what is wrong with the others."""
        alike: dict[Names, list[int]] = {}
        faults: dict[int, Fault] = {}
        for at, (value, text) in enumerate(records):
            if type(value) is not dict:
                faults[at] = _not_an_object(value)
            elif (text.isascii() or _is_encodable(text)) and ("\\u" not in text or self._is_text(value)):
                alike.setdefault(tuple(value), []).append(at)
            else:
                faults[at] = IssueCode.INVALID_ENCODING, None
        return alike, faults

    def _is_text(self, value: dict[str, Any]) -> bool:
        """Tell whether no cell of a record with escapes holds a lone surrogate or a NUL."""
        cells = (value[member] for member in self._members.fields(tuple(value)).values())
        return all(_is_encodable(cell) and "\0" not in cell for cell in cells if isinstance(cell, str))


def _columns(records: list[Record], members: Mapping[str, str]) -> Iterator[tuple[Any, ...]]:
    """Yield, for records of the same members, the values of each member that is a field."""
    names = list(members.values())
    rows = (tuple(map(value.__getitem__, names)) for value, _ in records)  # by rows: by columns took four times as long
    yield from zip(*rows, strict=True)


def _place(columns: dict[str, Column], name: str, texts: Column, places: list[int], size: int) -> None:
    """Put cells into a column of a size at their places."""
    if len(places) == size:
        columns[name] = texts
        return
    column = columns.setdefault(name, [None] * size)
    for at, cell in zip(places, texts, strict=True):
        column[at] = cell  # type: ignore[index] # a list, as there are other places


def _check_cells(cells: pl.DataFrame, limits: Limits) -> None:
    """Raise CellTooLarge for a cell of more bytes than the limit."""
    texts = cells.select(pl.col(pl.String).str.len_bytes())
    for name, (longest,) in texts.max().to_dict(as_series=False).items():
        if longest is not None and longest > limits.cell_bytes:
            at = (texts[name] > limits.cell_bytes).arg_true()[0]
            raise cell_too_large(name, cells[IMPORT_INDEX][at], texts[name][at], limits)


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


def _not_an_object(value: Any) -> Fault:
    if isinstance(value, NotJson):
        return IssueCode.MALFORMED_JSON, f"{DESCRIPTIONS[IssueCode.MALFORMED_JSON]} {value.what}"
    return IssueCode.DUPLICATE_MEMBER if isinstance(value, RepeatedMembers) else IssueCode.NOT_AN_OBJECT, None


def _is_encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _cell_text(value: Any, record: str, member: str) -> str | None:
    """Return a value that is not text as text: a word, or the JSON of an array or object as submitted."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return bytes(_RAW_MEMBERS.decode(as_bytes(record))[member]).decode()
