"""JSON: an array of objects, or an object with the array as its member `listings`, in constant memory."""

from collections.abc import Iterator
from pathlib import Path

from glyphd.errors import EmptyFile
from glyphd.ingest.columns import ColumnMapping
from glyphd.ingest.readers.dialect import check_encoding
from glyphd.ingest.readers.json_records import Record, RecordCutter
from glyphd.ingest.readers.json_text import JsonText
from glyphd.ingest.records import Chunk, Limits

LISTINGS = "listings"
EXPECTED = "an array of at least one listing"


class JsonReader:
    """Reads a JSON file as records of raw text cells. Its columns are known once all records have been read."""

    def __init__(self, path: Path, *, schema_version: str, limits: Limits) -> None:
        """Look at the first bytes. Raises EmptyFile or WrongEncoding."""
        with path.open("rb") as file:
            head = file.read(64)
        check_encoding(head)
        if not head:
            raise EmptyFile("The file is empty.", line=1, column=1, found="nothing", expected=EXPECTED)
        self._path = path
        self._limits = limits
        self._cutter = RecordCutter(schema_version, limits)

    @property
    def columns(self) -> ColumnMapping:
        """How member names map to fields, over all records read so far."""
        return self._cutter.columns

    def __iter__(self) -> Iterator[Chunk]:
        """Yield chunks. Raises EmptyFile, MalformedJson, CellTooLarge, RecordTooLarge or TooManyColumns."""
        chunk = None
        with self._path.open("rb") as file:
            for chunk in self._cutter.chunks(_listings(JsonText(file, self._path, self._limits))):
                yield chunk
        if chunk is None:
            raise EmptyFile("The file holds no record.", line=1, column=1, found="an empty array", expected=EXPECTED)


def _listings(text: JsonText) -> Iterator[Record]:
    """Yield the elements of the array, and check that nothing but JSON surrounds it."""
    if text.take("[{") == "[":
        yield from _elements(text)
    else:
        yield from _member_listings(text)
    if found := text.peek():
        raise text.malformed(f"expected the end of the file, found `{found}`")


def _elements(text: JsonText) -> Iterator[Record]:
    """Yield the elements of an array whose bracket has been taken."""
    if text.peek() == "]":
        text.take("]")
        return
    while True:
        yield text.value()
        if text.take(",]") == "]":
            return


def _member_listings(text: JsonText) -> Iterator[Record]:
    """Yield the elements of the member `listings` of an object whose brace has been taken; skip its other members."""
    found = False
    while text.peek() == '"':
        name, _ = text.value()
        text.take(":")
        if name != LISTINGS:
            text.value()
        elif found:
            raise text.malformed(f"a second member `{LISTINGS}`")
        else:
            found = True
            text.take("[")
            yield from _elements(text)
        if text.take(",}") == "}":
            break
    else:
        text.take('"' if found else '"}')
    if not found:
        raise text.malformed(f"neither an array nor an object with a member `{LISTINGS}`")
