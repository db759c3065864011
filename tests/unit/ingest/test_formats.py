"""Formats, told by content type, name and content."""

import pytest

from glyphd.errors import UnsupportedFormat
from glyphd.ingest.formats import detect_compression, detect_format
from glyphd.ingest.media_types import SUPPORTED_MEDIA_TYPES, Compression, Format


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
        ("text/tab-separated-values", "x.tsv", b"a\tb", Format.TSV),
        ("text/plain", "x.tab", b"a\tb", Format.TSV),
        ("text/csv", None, b"price\tscore\n", Format.CSV),
        (None, "x.txt", b"price\tscore\n1\t2\n", Format.TSV),
        (None, None, b"price,score\n", Format.CSV),
        ("application/x-ndjson", None, b"", Format.NDJSON),
        ("application/jsonl; charset=utf-8", "x.ndjson", b'{"a": 1}', Format.NDJSON),
        ("application/octet-stream", "x.jsonl", b"[1, 2]\n{}\n", Format.NDJSON),
        ("application/x-ndjson", None, b'[{"a": 1}]\n{"a": 2}\n', Format.NDJSON),
        ("application/x-ndjson", None, b'{"a": 1\n{"a": 2}\n', Format.NDJSON),
        ("application/x-ndjson", None, b'{"a": 1, "b"\n{"a"\n', Format.NDJSON),
        ("application/x-ndjson", None, b"no JSON\n{}", Format.NDJSON),
        (None, None, b'{"a": 1}\r\n{"a": 2}\r\n', Format.NDJSON),
        (None, None, b'{"a": 1}\n', Format.NDJSON),
        (None, None, b'{\n"listings": [\n{"a": 1}]}', Format.JSON),
        (None, "x.json", b'{"a": 1}', Format.JSON),
        (None, "x.json", b"[1]\n[2]\n", Format.JSON),
        (None, None, b"[" * 10_000, Format.JSON),
        ("application/vnd.apache.parquet", "x.pq", b"PAR1", Format.PARQUET),
        (None, None, b"PAR1\x15", Format.PARQUET),
        (None, "x.parquet", b"", Format.PARQUET),
        ("application/gzip", "x.tsv.gz", b"a\tb", Format.TSV),
        ("text/csv", "x.csv.zst", b"a,b", Format.CSV),
        ("application/zstd", None, b'[{"a": 1}]', Format.JSON),
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
        ("text/csv", "x.json", b"a,b", "JSON"),
        ("text/csv", "x.tsv", b"", "TSV"),
        ("application/json", "x.ndjson", b"", "NDJSON"),
        ("text/csv", None, b'[{"a": 1}]', "JSON"),
        (None, "x.csv", b'{"listings": [', "JSON"),
        (None, "x.csv", b'{"a": 1}\n{"a": 2}\n', "NDJSON"),
        (None, "x.json", b'{"a": 1}\n{"a": 2}\n', "NDJSON"),
        (None, "x.ndjson", b'[\n{"a": 1},\n{"a": 2}\n]', "JSON"),
        (None, "x.ndjson", b'[{"a": 1}, {"a": 2}]', "JSON"),
        (None, "x.ndjson", b'{"listings": [{}]}', "JSON"),
        (None, "x.ndjson", b"canonical_model,price\n", "CSV"),
        (None, "x.json", b"canonical_model\tprice\n", "TSV"),
        ("text/tab-separated-values", None, b"canonical_model,price\n", "CSV"),
        (None, "x.parquet", b"canonical_model,price\n", "CSV"),
        (None, "x.parquet", b"\x00\x01", None),
        ("application/gzip", "x.csv.gz", b"\x1f\x8b\x08", "gzip"),
        ("application/gzip", "x.csv.gz", b"PK\x03\x04", "zip (or an Excel workbook)"),
        ("text/csv", "x.csv", b"PAR1", "Parquet"),
        (None, "x.csv", b"PK\x03\x04", "zip (or an Excel workbook)"),
        (None, "x.zip", b"", "zip"),
        ("application/octet-stream", "x.xlsx", b"", "an Excel workbook"),
    ],
)
def test_formats_that_are_refused(media_type, filename, head, found):
    """What cannot be imported, and what contradicts itself, is said and not guessed over."""
    with pytest.raises(UnsupportedFormat) as caught:
        detect_format(media_type, filename, head)
    assert caught.value.members == {"found": found, "supported": sorted(SUPPORTED_MEDIA_TYPES)}


@pytest.mark.parametrize(
    ("media_type", "filename", "head", "expected"),
    [
        ("application/gzip", None, b"\x1f\x8b", Compression.GZIP),
        ("application/x-gzip", "x.csv", b"\x1f\x8b", Compression.GZIP),
        ("text/csv", "x.csv.gz", b"\x1f\x8b", Compression.GZIP),
        ("application/octet-stream", "X.PARQUET.ZST", b"\x28\xb5\x2f\xfd", Compression.ZSTD),
        (None, None, b"\x28\xb5\x2f\xfd", Compression.ZSTD),
        (None, "x.gz", b"", Compression.GZIP),
        ("text/csv", "x.csv", b"a,b", None),
        (None, None, b"", None),
    ],
)
def test_compressions_that_are_told(media_type, filename, head, expected):
    """The content type says it, else the name, else the content; a type may also be that of what is within."""
    assert detect_compression(media_type, filename, head) is expected


@pytest.mark.parametrize(
    ("media_type", "filename", "head"),
    [
        ("text/csv", None, b"\x1f\x8b"),
        (None, "x.csv", b"\x28\xb5\x2f\xfd"),
        ("application/gzip", "x.zst", b"\x1f\x8b"),
        (None, "x.csv.gz", b"\x28\xb5\x2f\xfd"),
        (None, "x.csv.gz", b"canonical_model,price\n"),
    ],
)
def test_compressions_that_are_refused(media_type, filename, head):
    """Compressed bytes that are said to be plain, plain ones that are said to be compressed, and other ones."""
    with pytest.raises(UnsupportedFormat, match=r"says .+(says|the content is)"):
        detect_compression(media_type, filename, head)
