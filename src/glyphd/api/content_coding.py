"""`Content-Encoding`: the body of a request is decoded while it comes, so that everything else sees its plain bytes."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from glyphd.errors import BodyTooLarge, CorruptCompression, DecodedTooLarge, MalformedRequest, UnsupportedFormat
from glyphd.ingest.compression import Decoder
from glyphd.ingest.media_types import Compression

CODINGS = {"gzip": Compression.GZIP, "x-gzip": Compression.GZIP, "zstd": Compression.ZSTD}


class PlainBody:
    """Takes the body as it comes and hands it on decoded; a body without a coding passes through."""

    def __init__(self, headers: Mapping[str, str], limit: int, take: Callable[[bytes], None]) -> None:
        """``limit`` counts plain bytes. Raises UnsupportedFormat for another coding, or several."""
        coding = headers.get("content-encoding", "").strip().lower()
        if coding not in {"", "identity", *CODINGS}:
            supported = sorted(CODINGS)
            detail = f"The content coding {coding} is not supported; supported is one of {', '.join(supported)}."
            raise UnsupportedFormat(detail, found=coding, supported=supported)
        self._decoder = Decoder(CODINGS[coding], limit) if coding in CODINGS else None
        self._take = take

    def take(self, portion: bytes) -> None:
        """Hand on what a portion holds. Raises MalformedRequest and BodyTooLarge, nothing else of its own."""
        if self._decoder is None:
            return self._take(portion)
        with _faults_of_the_request():
            for plain in self._decoder.decode(portion):
                self._take(plain)
        return None

    def finish(self) -> None:
        """Raise MalformedRequest when the encoded body ends early."""
        if self._decoder:
            with _faults_of_the_request():
                self._decoder.finish()


@contextmanager
def _faults_of_the_request() -> Iterator[None]:
    try:
        yield
    except CorruptCompression as exc:
        raise MalformedRequest(exc.detail) from exc
    except DecodedTooLarge as exc:
        raise BodyTooLarge(exc.detail, **exc.members) from exc
