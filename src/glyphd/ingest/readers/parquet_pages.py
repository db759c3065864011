"""The pages of a Parquet file, looked at before anything is decompressed.

pyarrow allocates whatever a page's header claims, which may be 2 GiB for a few hundred bytes, and the figures in the
footer need not be true. The headers are Thrift's compact protocol, of which this reads what they use.
"""

import mmap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pyarrow import parquet

from glyphd.errors import MalformedParquet

PAGES_BYTES = 256 << 20
"""The largest pages of all columns together: writers make pages of 1 MiB, DuckDB up to some 15 MB a column."""

_DEEPEST = 8
_LONGEST_VARINT = 10
_TRUE, _FALSE, _BYTE, _DOUBLE, _BINARY, _LIST, _SET, _STRUCT = 1, 2, 3, 7, 8, 9, 10, 12
_INTEGERS = {4, 5, 6}

_UNCOMPRESSED, _COMPRESSED, _V1, _V2 = 2, 3, 5, 8
_ENCODING = {_V1: 2, _V2: 4}
_DELTA_TEXT = {6: "DELTA_LENGTH_BYTE_ARRAY", 7: "DELTA_BYTE_ARRAY"}
"""Encodings in which a small page can hold texts of any length, so that its size bounds nothing."""


def check_pages(path: Path, metadata: parquet.FileMetaData, names: frozenset[str]) -> None:
    """Raise MalformedParquet for pages of some columns that are larger than accepted, or in an encoding that is not."""
    if not metadata.num_row_groups:
        return
    largest = [0] * metadata.num_columns
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        for group in range(metadata.num_row_groups):
            for column in range(metadata.num_columns):
                chunk = metadata.row_group(group).column(column)
                if chunk.path_in_schema in names:
                    largest[column] = max(largest[column], 0, *_page_sizes(content, chunk))
    if sum(largest) > PAGES_BYTES:
        raise MalformedParquet(
            f"The largest pages take {sum(largest)} bytes; at most {PAGES_BYTES} are accepted. Write smaller ones.",
            found=sum(largest),
            expected=PAGES_BYTES,
        )


def _page_sizes(content: mmap.mmap, chunk: parquet.ColumnChunkMetaData) -> Iterator[int]:
    """Yield the size of every page of a column chunk, decompressed."""
    starts = [chunk.data_page_offset, *([chunk.dictionary_page_offset] if chunk.dictionary_page_offset else [])]
    position, end = min(starts), min(starts) + chunk.total_compressed_size
    while position < end:
        header, position = _Thrift(content, position).struct()
        size, stored = header.get(_UNCOMPRESSED), header.get(_COMPRESSED)
        if not (isinstance(size, int) and isinstance(stored, int) and size >= 0 and stored >= 0):
            raise _malformed(position)
        for kind, member in _ENCODING.items():
            encoding = header.get(kind, {}).get(member)
            if encoding in _DELTA_TEXT:
                said = f"{chunk.path_in_schema} is encoded as {_DELTA_TEXT[encoding]}"
                raise MalformedParquet(f"{said}, which is not accepted. Write it plain or with a dictionary.")
        position += stored
        yield size


def _malformed(position: int) -> MalformedParquet:
    return MalformedParquet(f"The header of a page cannot be read at byte {position}.", offset=position)


class _Thrift:
    """Reads one struct of the compact protocol from a position: field number → value."""

    def __init__(self, content: mmap.mmap, position: int) -> None:
        self._content = content
        self._position = position

    def struct(self, depth: int = 0) -> tuple[dict[int, Any], int]:
        """Return the struct and the position after it. Raises MalformedParquet."""
        members: dict[int, Any] = {}
        number = 0
        while head := self._byte():
            number = number + (head >> 4) if head >> 4 else self._integer()
            members[number] = self._value(head & 15, depth)
        return members, self._position

    def _value(self, kind: int, depth: int) -> Any:
        if depth > _DEEPEST:
            raise _malformed(self._position)
        if kind in {_TRUE, _FALSE}:
            return kind == _TRUE
        if kind in _INTEGERS:
            return self._integer()
        if kind == _STRUCT:
            return self.struct(depth + 1)[0]
        if kind in {_BYTE, _DOUBLE, _BINARY}:
            size = {_BYTE: 1, _DOUBLE: 8}.get(kind) or self._varint()
            self._position += size
            return None
        if kind not in {_LIST, _SET}:
            raise _malformed(self._position)
        head = self._byte()
        count = head >> 4 if head >> 4 < 15 else self._varint()
        return [self._value(head & 15, depth + 1) for _ in range(min(count, len(self._content)))]

    def _byte(self) -> int:
        if not 0 <= self._position < len(self._content):
            raise _malformed(self._position)
        self._position += 1
        return self._content[self._position - 1]

    def _varint(self) -> int:
        value = 0
        for place in range(_LONGEST_VARINT):
            byte = self._byte()
            value |= (byte & 127) << 7 * place
            if byte < 128:
                return value
        raise _malformed(self._position)

    def _integer(self) -> int:
        value = self._varint()
        return (value >> 1) ^ -(value & 1)
