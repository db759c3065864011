"""What every reader hands on: consecutive records as raw text cells, the ones that are not records, and their bytes."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Protocol

import polars as pl

from glyphd.domain.issues import DESCRIPTIONS, Issue, IssueCode, Rejection
from glyphd.ingest.columns import ColumnMapping

IMPORT_INDEX = "import_index"


@dataclass(frozen=True, slots=True)
class Limits:
    """What a file may hold, in bytes and counts.

    A cell or record beyond its limit fails the whole file, and so does a file beyond ``decoded_bytes`` once it is
    decompressed. ``block_bytes`` are read at a time, and a chunk has at most
    ``chunk_records`` records: together they bound the memory of a reader whatever the size of the file.
    """

    cell_bytes: int = 65_536
    columns: int = 1_000
    record_bytes: int = 4 << 20
    decoded_bytes: int = 2 << 30
    block_bytes: int = 4 << 20
    chunk_records: int = 65_536


@dataclass(frozen=True, slots=True)
class Chunk:
    """Consecutive records: ``received`` of them, the first at ``first_index`` (1-based).

    ``cells`` has `import_index` (Int64) and one String column per contract field of the records: raw untrimmed text,
    null only where a JSON record has no such member or null in it. Records that cannot be cut into cells are in
    ``malformed`` instead. ``raw`` returns a record's bytes as submitted, without the line terminator of a CSV.
    ``bytes_done`` is about how much of the file is read with this chunk, in the file's own bytes, compressed ones if it
    is (0: the reader does not tell).
    """

    first_index: int
    received: int
    cells: pl.DataFrame
    raw: Callable[[int], bytes]
    malformed: list[Rejection] = field(default_factory=list)
    bytes_done: int = 0


class RecordReader(Protocol):
    """Reads one file once, in constant memory. Raises :class:`~glyphd.errors.FileFault`, also late in the file."""

    @property
    def columns(self) -> ColumnMapping:
        """How the submitted columns map to fields; complete once the records have been read."""
        ...

    def __iter__(self) -> Iterator[Chunk]:
        """Yield the chunks in order; every record is in exactly one."""
        ...


def malformed_record(import_index: int, raw: bytes, code: IssueCode, message: str | None = None) -> Rejection:
    """Return the rejection of a record that cannot be cut into cells."""
    return Rejection(import_index, raw, (Issue(None, code, message or DESCRIPTIONS[code], None),))
