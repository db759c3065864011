"""NDJSON (JSON Lines): one JSON object a line, in constant memory. A line that is not JSON concerns no other."""

from codecs import BOM_UTF8
from collections.abc import Iterator
from pathlib import Path

from glyphd.errors import EmptyFile, RecordTooLarge
from glyphd.ingest.columns import ColumnMapping
from glyphd.ingest.readers.dialect import check_encoding
from glyphd.ingest.readers.json_records import Record, RecordCutter
from glyphd.ingest.readers.json_text import as_text, read_line
from glyphd.ingest.records import Chunk, Limits

_EXPECTED = "at least one line with a listing"


class NdjsonReader:
    """Reads the lines of a file as records of raw text cells. Its columns are known once all have been read."""

    def __init__(self, path: Path, *, schema_version: str, limits: Limits) -> None:
        """Look at the first bytes. Raises EmptyFile or WrongEncoding."""
        with path.open("rb") as file:
            head = file.read(64)
        check_encoding(head)
        self._start = len(BOM_UTF8) if head.startswith(BOM_UTF8) else 0
        self._path = path
        self._limits = limits
        self._cutter = RecordCutter(schema_version, limits)

    @property
    def columns(self) -> ColumnMapping:
        """How member names map to fields, over all records read so far."""
        return self._cutter.columns

    def __iter__(self) -> Iterator[Chunk]:
        """Yield chunks. Raises EmptyFile, CellTooLarge, RecordTooLarge or TooManyColumns."""
        chunk = None
        for chunk in self._cutter.chunks(self._records()):
            yield chunk
        if chunk is None:
            raise EmptyFile("The file holds no record.", line=1, column=1, found="nothing", expected=_EXPECTED)

    def _records(self) -> Iterator[Record]:
        for lines in self._blocks():
            for line in lines:
                if line and not line.isspace():
                    text = as_text(line.removesuffix(b"\r"))
                    yield read_line(text), text

    def _blocks(self) -> Iterator[list[bytes]]:
        """Yield the lines of one block after the other; the last line may lack its end."""
        number, remainder, most = 1, b"", self._limits.record_bytes
        with self._path.open("rb") as file:
            file.seek(self._start)
            while read := file.read(self._limits.block_bytes):
                *whole, remainder = (remainder + read).split(b"\n")
                if max(map(len, (*whole, remainder))) > most:
                    raise _too_large(number, whole, most)
                number += len(whole)
                yield whole
        yield [remainder]


def _too_large(first_line: int, lines: list[bytes], most: int) -> RecordTooLarge:
    line = first_line + next((at for at, text in enumerate(lines) if len(text) > most), len(lines))
    return RecordTooLarge(f"Line {line} has more than {most} bytes.", line=line, column=1, expected=most)
