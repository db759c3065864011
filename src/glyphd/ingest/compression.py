"""gzip and Zstandard, decoded in portions of bounded size whatever the bytes claim to hold."""

import sys
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Protocol

from glyphd.errors import CorruptCompression, DecodedTooLarge
from glyphd.ingest.media_types import Compression

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

PORTION_BYTES = 256 << 10
READ_BYTES = 64 << 10


class _Member(Protocol):
    """One member of a gzip stream, or one frame of Zstandard."""

    @property
    def eof(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...

    def decompress(self, data: bytes, max_length: int) -> bytes: ...


class _GzipMember:
    """zlib, keeping to itself the input that it has not come to yet, as Zstandard does."""

    def __init__(self) -> None:
        self._stream = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)

    @property
    def eof(self) -> bool:
        return self._stream.eof

    @property
    def unused_data(self) -> bytes:
        return self._stream.unused_data

    def decompress(self, data: bytes, max_length: int) -> bytes:
        return self._stream.decompress(self._stream.unconsumed_tail + data, max_length)


class Decoder:
    """Decodes one stream: members or frames one after the other, and nothing after them."""

    def __init__(self, compression: Compression, limit: int) -> None:
        """``limit`` is how many bytes may come out."""
        self._compression = compression
        self._limit = limit
        self._decoded = 0
        self._member: _Member | None = None

    def decode(self, data: bytes) -> Iterator[bytes]:
        """Yield what the next bytes hold, a portion at a time. Raises CorruptCompression or DecodedTooLarge."""
        while data:
            if self._member is None:
                self._member = _GzipMember() if self._compression is Compression.GZIP else zstd.ZstdDecompressor()
            portion = self._step(self._member, data)
            while portion:
                yield portion
                more = len(portion) == PORTION_BYTES and not self._member.eof
                portion = self._step(self._member, b"") if more else b""
            data = b""
            if self._member.eof:
                data, self._member = self._member.unused_data, None

    def finish(self) -> None:
        """Raise CorruptCompression when the stream ends in the middle."""
        if self._member is not None:
            raise CorruptCompression(f"The {self._compression} data ends early.", found="end of data")

    def _step(self, member: _Member, data: bytes) -> bytes:
        try:
            portion = member.decompress(data, PORTION_BYTES)
        except (zlib.error, zstd.ZstdError) as exc:
            detail = f"The {self._compression} data cannot be decoded after {self._decoded} bytes: {exc}."
            raise CorruptCompression(detail, found=str(exc)) from exc
        self._decoded += len(portion)
        if self._decoded > self._limit:
            detail = f"The {self._compression} data holds more than the {self._limit} bytes that this server accepts."
            raise DecodedTooLarge(detail, limit=self._limit)
        return portion


def decode_head(compression: Compression, file: BinaryIO, size: int) -> bytes:
    """Return the first ``size`` plain bytes of a compressed file, or all it has. Raises CorruptCompression."""
    decoder, head = Decoder(compression, size + PORTION_BYTES), b""
    while len(head) < size and (data := file.read(READ_BYTES)):
        for portion in decoder.decode(data):
            head += portion
            if len(head) >= size:
                break
    return head[:size]


def decompress_file(compression: Compression, source: Path, target: Path, limit: int) -> None:
    """Write what a compressed file holds. Raises CorruptCompression or DecodedTooLarge; then ``target`` is partial."""
    decoder = Decoder(compression, limit)
    with source.open("rb") as compressed, target.open("wb") as plain:
        while data := compressed.read(READ_BYTES):
            plain.writelines(decoder.decode(data))
    decoder.finish()
