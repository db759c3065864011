"""Where in a CSV file a fault is: 1-based physical line, 1-based column and its header."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from glyphd.ingest.readers.scan import scan_block, split_record

_READ_BYTES = 8 << 20


def count_lines(text: bytes) -> int:
    """Return the number of line ends: LF, CRLF or lone CR."""
    return text.count(b"\n") + text.count(b"\r") - text.count(b"\r\n")


def line_at(path: Path, offset: int) -> int:
    """Return the 1-based line of a byte offset, by reading the file again: only a fault needs it."""
    line = 1
    with path.open("rb") as file:
        while offset > 0 and (block := file.read(min(_READ_BYTES, offset))):
            offset -= len(block)
            line += count_lines(block)
            if block.endswith(b"\r") and file.peek(1)[:1] == b"\n":
                line -= 1  # the LF that completes this CRLF is counted with the next block, or not at all
    return line


@dataclass(frozen=True, slots=True)
class Place:
    """A cell: where it is, and what its column is called when that is known."""

    line: int
    column: int
    header: str | None

    def __str__(self) -> str:
        """Return the place as a sentence names it."""
        named = f" ({self.header})" if self.header else ""
        return f"line {self.line}, column {self.column}{named}"

    def members(self) -> dict[str, Any]:
        """Return the members a failure carries."""
        return {"line": self.line, "column": self.column, "header": self.header}


@dataclass(frozen=True, slots=True)
class Block:
    """A stretch of a CSV file that begins at the start of a record, ``offset`` bytes into the file."""

    path: Path
    text: bytes
    offset: int
    delimiter: int
    header: Sequence[str]

    def place(self, position: int, column: int | None = None) -> Place:
        """Return the place of a position in the block; the column is found when it is not given."""
        column = column or self._column(position)
        name = self.header[column - 1] if column <= len(self.header) else None
        return Place(line_at(self.path, self.offset + position), column, name)

    def _column(self, position: int) -> int:
        before = self.text[:position]
        start = scan_block(before, self.delimiter, final=False).consumed if before else 0
        return len(split_record(before[start:], self.delimiter))
