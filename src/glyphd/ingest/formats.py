"""Which format a file has: its content type says it, else its name, else its content; contradictions are refused."""

from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import NoReturn

from glyphd.errors import UnsupportedFormat
from glyphd.ingest.media_types import FOREIGN_SUFFIXES, SUFFIXES, SUPPORTED_MEDIA_TYPES, UNSAID, Compression, Format
from glyphd.ingest.sniffing import guess_format, sniff_compression, sniff_foreign, sniff_format

_CONTAINED = {(Format.CSV, Format.TSV)}
"""The delimiter of a CSV is found in its header, so that a TSV is one too."""


@dataclass(frozen=True, slots=True)
class _Claim:
    """What a content type or a name says; the name of a compressed file says both."""

    by: str
    format: Format | None = None
    compression: Compression | None = None


def detect_compression(media_type: str | None, filename: str | None, head: bytes) -> Compression | None:
    """Return how a file is compressed, if it is. ``head`` are its first bytes.

    A content type may also be that of what is within: `text/csv` with the name `x.csv.gz`. Raises UnsupportedFormat
    for what is not supported, and when what is said contradicts itself or the content.
    """
    claims, found = _claims(media_type, filename), sniff_compression(head)
    compressed = [claim for claim in claims if claim.compression]
    if len({claim.compression for claim in compressed}) > 1:
        _refuse_claims(compressed, [claim.compression for claim in compressed])
    if compressed and head and found is not compressed[0].compression:
        _refuse(f"{compressed[0].by} says {compressed[0].compression}, the content is {found or 'not'}.", found)
    if claims and found and not compressed:
        _refuse(f"{claims[0].by} says {claims[0].format}, the content is {found}.", found)
    return found or (compressed[0].compression if compressed else None)


def detect_format(media_type: str | None, filename: str | None, head: bytes) -> Format:
    """Return the format of a file, or of what is within one that is compressed. ``head`` are the first plain bytes.

    Raises UnsupportedFormat for what is not supported, and when content type, name and content contradict each other.
    """
    claims = [claim for claim in _claims(media_type, filename) if claim.format]
    if foreign := sniff_compression(head) or sniff_foreign(head):
        _refuse(f"The content is {foreign}.", foreign)
    if len({claim.format for claim in claims}) > 1:
        _refuse_claims(claims, [claim.format for claim in claims])
    told, found = claims[0].format if claims else None, sniff_format(head)
    if told is None:
        return guess_format(head)
    contradicted = found not in {None, told} and (told, found) not in _CONTAINED
    if contradicted or (told is Format.PARQUET and head and not found):
        _refuse(f"{claims[0].by} says {told}, the content is {found or 'not'}.", found)
    return told


def _claims(media_type: str | None, filename: str | None) -> list[_Claim]:
    """Return what is said, the content type first. Raises UnsupportedFormat for what is not supported."""
    claims = []
    essence = (media_type or "").partition(";")[0].strip().lower()
    if essence not in UNSAID:
        if essence not in SUPPORTED_MEDIA_TYPES:
            _refuse(f"The content type {essence} cannot be imported.", essence)
        claims.append(_claim(f"The content type {essence}", SUPPORTED_MEDIA_TYPES[essence]))
    suffixes = [suffix.lower() for suffix in PurePosixPath((filename or "").replace("\\", "/")).suffixes[-2:]]
    said = [SUFFIXES.get(suffix) for suffix in suffixes]
    if suffixes and suffixes[-1] in FOREIGN_SUFFIXES:
        foreign = FOREIGN_SUFFIXES[suffixes[-1]]
        _refuse(f"The name {filename} says {foreign}.", foreign)
    if said and said[-1]:
        inner = said[0] if isinstance(said[-1], Compression) and isinstance(said[0], Format) else None
        claims.append(_claim(f"The name {filename}", said[-1], inner))
    return claims


def _claim(by: str, said: Format | Compression, inner: Format | None = None) -> _Claim:
    return _Claim(by, said) if isinstance(said, Format) else _Claim(by, inner, said)


def _refuse_claims(claims: list[_Claim], said: list[Format | Compression | None]) -> NoReturn:
    (first, second), (one, other) = claims, said
    _refuse(f"{first.by} says {one}, {second.by.lower()} says {other}.", other)


def _refuse(detail: str, found: str | None) -> NoReturn:
    supported = sorted(SUPPORTED_MEDIA_TYPES)
    raise UnsupportedFormat(f"{detail} Supported are {', '.join(supported)}.", found=found, supported=supported)
