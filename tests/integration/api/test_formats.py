"""Every format and coding over HTTP: the same records give the same report, whatever they come as."""

import csv
import gzip
import io
import json
import zlib
from collections.abc import Callable
from typing import Any

import httpx
import polars as pl
import pytest

from glyphd.ingest.compression import zstd

RECORD = {
    "canonical_model": "H100", "vram_gb": 80, "tdp_watts": 350, "mig_support": 7, "nvlink": True,
    "price": 28450.5, "score": 71.4,
}  # fmt: skip
RECORDS: list[dict[str, Any]] = [RECORD, RECORD | {"vram_gb": 0}, RECORD | {"canonical_model": "L4", "seller": None}]
COLUMNS = [*RECORD, "seller"]


def _delimited(delimiter: str) -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, delimiter=delimiter, lineterminator="\n")
    writer.writeheader()
    writer.writerows(RECORDS)
    return text.getvalue().encode()


def _parquet() -> bytes:
    target = io.BytesIO()
    pl.DataFrame(RECORDS, schema_overrides={"seller": pl.String}).write_parquet(target)
    return target.getvalue()


FORMATS = {
    "text/csv": ("x.csv", _delimited(",")),
    "text/tab-separated-values": ("x.tsv", _delimited("\t")),
    "application/json": ("x.json", json.dumps(RECORDS).encode()),
    "application/x-ndjson": ("x.ndjson", "\n".join(map(json.dumps, RECORDS)).encode()),
    "application/vnd.apache.parquet": ("x.parquet", _parquet()),
}
CODINGS: dict[str, Callable[[bytes], bytes]] = {"gzip": gzip.compress, "zstd": zstd.compress}
SUFFIXES = {"gzip": ".gz", "zstd": ".zst"}


def _outcome(answer: httpx.Response) -> dict[str, Any]:
    assert 201 == answer.status_code, answer.text
    report = answer.json()
    return {
        name: report[name] for name in ("received", "count", "rejected", "errors", "price_range", "ignored_columns")
    }


@pytest.fixture(scope="module")
def expected() -> dict[str, Any]:
    """What every way of sending the three records must answer."""
    message = "vram_gb must be between 1 and 1024"
    return {
        "received": 3,
        "count": 2,
        "rejected": 1,
        "errors": [{"import_index": 2, "field": "vram_gb", "code": "out_of_range", "message": message, "value": "0"}],
        "price_range": [28450.5, 28450.5],
        "ignored_columns": [],
    }


@pytest.mark.parametrize("media_type", FORMATS)
def test_every_format_and_coding_gives_the_same_report(
    api: httpx.Client, media_type: str, expected: dict[str, Any]
) -> None:
    """Raw, in a form, encoded for the transfer, and compressed as a file."""
    name, content = FORMATS[media_type]
    raw = api.post("/api/import", content=content, headers={"content-type": media_type})
    assert (expected, media_type) == (_outcome(raw), raw.json()["artifacts"][0]["media_type"])
    assert expected == _outcome(api.post("/api/import", files={"file": (name, content)}))
    for coding, encode in CODINGS.items():
        headers = {"content-type": media_type, "content-encoding": coding}
        encoded = api.post("/api/import", content=encode(content), headers=headers)
        assert expected == _outcome(encoded)
        assert raw.json()["artifacts"][0]["sha256"] == encoded.json()["artifacts"][0]["sha256"]
        form = httpx.Request("POST", "http://x", files={"file": (name, content)})
        headers = {"content-type": form.headers["content-type"], "content-encoding": coding}
        assert expected == _outcome(api.post("/api/import", content=encode(form.read()), headers=headers))
        file = api.post("/api/import", files={"file": (name + SUFFIXES[coding], encode(content))})
        assert expected == _outcome(file)
        assert f"application/{coding}" == file.json()["artifacts"][0]["media_type"]
        stored = api.get(f"/api/imports/{file.json()['import_id']}/artifact").content
        assert encode(content) == stored or coding == "gzip"  # gzip writes the time


@pytest.mark.parametrize("media_type", FORMATS)
@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_rejections_come_back_with_their_cells(api: httpx.Client, media_type: str, suffix: str) -> None:
    """As CSV with the columns of the file, from every format, compressed or not."""
    name, content = FORMATS[media_type]
    files = {"file": (name + suffix, gzip.compress(content) if suffix else content)}
    import_id = api.post("/api/import", files=files).json()["import_id"]
    found = list(csv.reader(io.StringIO(api.get(f"/api/imports/{import_id}/rejections?format=csv").text)))
    header, record = found[0], dict(zip(found[0], found[1], strict=True))
    assert ["import_index", "_issues", *RECORD] == header[:9]
    assert ("2", "vram_gb: out_of_range", "0", "28450.5", "true") == (
        *(record[name] for name in ("import_index", "_issues", "vram_gb", "price")),
        record["nvlink"].lower(),
    )


def test_a_line_that_is_no_json_is_a_rejection_of_that_line(api: httpx.Client) -> None:
    """Its neighbours are imported, and it comes back as it was."""
    deep = b"[" * 10_000
    lines = [
        json.dumps(RECORD).encode(),
        b'{"price": NaN}',
        b"",
        deep,
        b'{"price": 1',
        b"[1]",
        json.dumps(RECORD).encode(),
    ]
    answer = api.post(
        "/api/import", content=b"\r\n".join(lines), headers={"content-type": "application/x-ndjson"}
    ).json()
    assert (6, 2) == (answer["received"], answer["count"])
    assert ["malformed_json"] * 3 + ["not_an_object"] == [error["code"] for error in answer["errors"]]
    assert [2, 3, 4, 5] == [error["import_index"] for error in answer["errors"]]
    raw = api.get(f"/api/imports/{answer['import_id']}/rejections").json()["items"]
    assert ['{"price": NaN}', deep.decode(), '{"price": 1', "[1]"] == [item["raw"] for item in raw]


_CSV = FORMATS["text/csv"][1]
_BROKEN = {
    "gzip cut off": ("gzip", gzip.compress(_CSV)[:-9], 400),
    "gzip with a wrong checksum": ("gzip", gzip.compress(_CSV)[:-8] + bytes(8), 400),
    "bytes after the end": ("gzip", gzip.compress(_CSV) + b"more", 400),
    "no gzip at all": ("gzip", _CSV, 400),
    "zstd cut off": ("zstd", zstd.compress(_CSV)[:-3], 400),
    "no zstd at all": ("zstd", _CSV, 400),
    "two codings": ("gzip, zstd", _CSV, 415),
    "an unknown coding": ("br", _CSV, 415),
    "more than a body may have": ("gzip", gzip.compress(bytes(3 << 20)), 413),
    "more than a JSON body may have": ("zstd", zstd.compress(b" " * (2 << 20)), 413),
}


@pytest.mark.parametrize("name", _BROKEN)
def test_encoded_bodies_that_are_refused(make_api: Callable[..., httpx.Client], name: str) -> None:
    """400, 413 or 415, and nothing is stored."""
    coding, content, status = _BROKEN[name]
    api = make_api(max_body_bytes=2 << 20, max_json_bytes=1 << 20)
    headers = {"content-encoding": coding, "content-type": "application/json" if "JSON" in name else "text/csv"}
    answer = api.post("/api/import", content=content, headers=headers)
    assert (status, "application/problem+json") == (answer.status_code, answer.headers["content-type"])
    assert [] == api.get("/api/imports").json()["items"]


@pytest.mark.parametrize("cut", [zlib.MAX_WBITS, 1, 64])
def test_members_and_frames_in_a_row_are_one_body(api: httpx.Client, cut: int) -> None:
    """Wherever the first of them ends."""
    for coding, encode in CODINGS.items():
        content = encode(_CSV[:cut]) + encode(_CSV[cut:]) + encode(b"")
        headers = {"content-encoding": coding, "content-type": "text/csv"}
        assert 2 == _outcome(api.post("/api/import", content=content, headers=headers))["count"]


_FAULTS = {
    "corrupt gzip": ("x.csv.gz", gzip.compress(_CSV)[:-8] + bytes(8), 422, "corrupt_compression"),
    "gzip cut off": ("x.csv.gz", gzip.compress(_CSV)[:40], 422, "corrupt_compression"),
    "corrupt zstd": ("x.csv.zst", zstd.compress(_CSV)[:20] + b"x" * 20, 422, "corrupt_compression"),
    "gzip of too much": ("x.csv.gz", gzip.compress(_CSV + bytes(3 << 20)), 413, "decoded_too_large"),
    "Parquet cut off": ("x.parquet", _parquet()[:-20], 422, "malformed_parquet"),
    "Parquet without an end": ("x.parquet", b"PAR1" + bytes(100), 422, "malformed_parquet"),
    "nothing in gzip": ("x.csv.gz", gzip.compress(b""), 422, "empty_file"),
}


@pytest.mark.parametrize("name", _FAULTS)
def test_files_that_fail_once_their_bytes_are_safe(make_api: Callable[..., httpx.Client], name: str) -> None:
    """The import is failed and kept, with the file as it was submitted."""
    filename, content, status, code = _FAULTS[name]
    api = make_api(max_body_bytes=2 << 20)
    answer = api.post("/api/import", files={"file": (filename, content)})
    assert (status, code) == (answer.status_code, answer.json()["code"])
    import_id = answer.json()["import_id"]
    assert "failed" == api.get(f"/api/imports/{import_id}").json()["status"]
    assert content == api.get(f"/api/imports/{import_id}/artifact").content


def test_what_contradicts_itself_is_said(api: httpx.Client) -> None:
    """415 that names both sides."""
    answer = api.post("/api/import", content=_parquet(), headers={"content-type": "text/csv"})
    assert (415, True) == (
        answer.status_code,
        answer.json()["detail"].startswith("The content type text/csv says CSV, the content is Parquet."),
    )
