"""Formats, told by content type, name and content."""

import pytest

from glyphd.errors import UnsupportedFormat
from glyphd.ingest.formats import SUPPORTED_MEDIA_TYPES, Format, detect_format


@pytest.mark.parametrize(
    ("media_type", "filename", "head", "expected"),
    [
        ("text/csv; charset=utf-8", None, b"a,b", Format.CSV),
        ("TEXT/CSV", "upload", b"", Format.CSV),
        ("application/json", None, b"[", Format.JSON),
        ("application/octet-stream", "x.json", b"", Format.JSON),
        ("application/x-www-form-urlencoded", None, b"a,b\n", Format.CSV),
        (None, "C:\\crawl\\X.CSV", b"", Format.CSV),
        (None, None, b"\xef\xbb\xbf \n[1]", Format.JSON),
        (None, None, b'{"listings": []}', Format.JSON),
        (None, None, b"", Format.CSV),
        ("text/plain", "x.json", b"[", Format.JSON),
        ("application/vnd.ms-excel", "x.csv", b"a,b", Format.CSV),
        ("text/tab-separated-values", "x.tsv", b"a\tb", Format.CSV),
        ("text/csv", "x.dat", b"a,b", Format.CSV),
    ],
)
def test_formats_that_are_told(media_type, filename, head, expected):
    """The content type says it, else the name, else the content."""
    assert detect_format(media_type, filename, head) is expected


@pytest.mark.parametrize(
    ("media_type", "filename", "head", "found"),
    [
        ("image/png", None, b"", "image/png"),
        ("text/csv", "x.json", b"a,b", "x.json"),
        ("text/csv", None, b"\x1f\x8b\x08", "gzip"),
        ("text/csv", "x.csv", b"PAR1", "Parquet"),
        (None, "x.csv", b"PK\x03\x04", "zip (or an Excel workbook)"),
        (None, "x.csv.gz", b"", "gzip"),
        ("application/octet-stream", "x.parquet", b"", "Parquet"),
    ],
)
def test_formats_that_are_refused(media_type, filename, head, found):
    """What cannot be imported, and what contradicts itself, is said and not guessed over."""
    with pytest.raises(UnsupportedFormat) as caught:
        detect_format(media_type, filename, head)
    assert caught.value.members == {"found": found, "supported": sorted(SUPPORTED_MEDIA_TYPES)}
