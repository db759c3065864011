"""Bad input, a row for each case: what is sent, and what the answer is."""

import gzip
import io
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import chain, repeat
from typing import Any

import polars as pl

from glyphd.ingest.compression import zstd
from tests.conftest import GOOD_ROW

IMPORT, PIPELINE = "/api/import", "/api/imports/from-pipeline"
HEADER = ",".join(GOOD_ROW).encode() + b"\n"
CSV = HEADER + ",".join(GOOD_ROW.values()).encode() + b"\n"
RECORD: dict[str, Any] = {**GOOD_ROW, "vram_gb": 80, "price": 28450.0}
MEMBER_BYTES, MEMBERS = 256 << 20, 40
"""A bomb is so many members of so many bytes each: 10 GB."""


@dataclass(frozen=True, slots=True)
class Case:
    """What is sent (``body`` is made when it is needed), the status and code of the answer, and what else it says.

    With ``declared`` that many bytes are announced. A status of 201 has an accepted batch whose report holds ``says``;
    ``failed`` tells a file that was kept and whose import failed from one that left nothing.
    """

    body: bytes | Callable[[], bytes]
    media_type: str
    status: int
    code: str | None
    headers: Mapping[str, str] = field(default_factory=dict)
    path: str = IMPORT
    declared: int | None = None
    failed: bool = False
    says: Mapping[str, Any] = field(default_factory=dict)

    def bytes(self) -> bytes:
        """Return the body."""
        return self.body() if callable(self.body) else self.body


def form(*files: tuple[str, bytes]) -> bytes:
    """Return a form of parts named `file`, each with a file name."""
    head = b'--XX\r\nContent-Disposition: form-data; name="file"; filename="%s"\r\n\r\n%s\r\n'
    return b"".join(head % (name.encode(), content) for name, content in files) + b"--XX--\r\n"


def parquet(**changes: Any) -> Callable[[], bytes]:
    """Return what makes a Parquet file of one good record with columns changed, or taken away (None)."""

    def make() -> bytes:
        target = io.BytesIO()
        record = {name: value for name, value in {**RECORD, **changes}.items() if value is not None}
        pl.DataFrame({name: [value] for name, value in record.items()}).write_parquet(target)
        return target.getvalue()

    return make


def bomb(compress: Callable[[bytes], bytes]) -> bytes:
    """Return 10 GB, compressed: a header, and a line that does not end."""
    return b"".join(chain([compress(HEADER)], repeat(compress(b"0" * MEMBER_BYTES), MEMBERS)))


def bomb_file(name: str, compress: Callable[[bytes], bytes]) -> Callable[[], bytes]:
    """Return what makes a form with a bomb for its file."""
    return lambda: form((name, bomb(compress)))


def gzipped(plain: bytes) -> bytes:
    """Compress."""
    return gzip.compress(plain, 6)


def records(*values: bytes) -> bytes:
    """Return a JSON batch of a good record and others."""
    return b"[" + b",".join([json.dumps(RECORD).encode(), *values]) + b"]"


def with_price(literal: bytes) -> bytes:
    """Return a record with a literal for its price."""
    return json.dumps({**RECORD, "price": 0}).encode().replace(b'"price": 0', b'"price": ' + literal)


def path(name: str) -> Case:
    """Return the case of a pipeline path that is refused."""
    body = json.dumps({"input_csv_path": name}).encode()
    return Case(body, JSON, 422, "pipeline_path_refused", path=PIPELINE, says={"parameter": "input_csv_path"})


def one_rejected(code: str) -> dict[str, Any]:
    """Return what the report of a batch says of which one of two records is rejected."""
    return {"received": 2, "count": 1, "rejected": 1, "error_counts": {code: 1}}


TEXT, JSON, NDJSON = "text/csv", "application/json", "application/x-ndjson"
PARQUET, FORM = "application/vnd.apache.parquet", "multipart/form-data; boundary=XX"
CORRUPT = gzipped(CSV)[:10] + b"\xff" * 30
MANY = ",".join(f"c{number}" for number in range(5_000)).encode()

CASES: dict[str, Case] = {
    "zero bytes": Case(b"", TEXT, 422, "empty_file", failed=True),
    "zero bytes as JSON": Case(b"", JSON, 422, "missing_file"),
    "header only": Case(HEADER, TEXT, 422, "empty_file", failed=True),
    "10 GB declared": Case(CSV, TEXT, 413, "body_too_large", declared=10 << 30),
    "10 GB declared as a form": Case(form(("a.csv", CSV)), FORM, 413, "body_too_large", declared=10 << 30),
    "a form that ends early": Case(form(("a.csv", CSV))[:-20], FORM, 400, "incomplete_body"),
    "wrong content type": Case(CSV, "application/pdf", 415, "unsupported_format"),
    "Parquet that is CSV": Case(CSV, PARQUET, 415, "unsupported_format"),
    "two files": Case(form(("a.csv", CSV), ("b.csv", CSV)), FORM, 422, "invalid_parameter", says={"parameter": "file"}),
    "Parquet without a required column": Case(
        parquet(vram_gb=None), PARQUET, 422, "missing_column", failed=True, says={"accepted": {"vram_gb": ["vram_gb"]}}
    ),
    "Parquet with a nested column": Case(parquet(price={"amount": 1.0}), PARQUET, 422, "nested_column", failed=True),
    "Parquet cut off": Case(lambda: parquet()()[:-30], PARQUET, 422, "malformed_parquet", failed=True),
    "corrupt gzip as content coding": Case(CORRUPT, TEXT, 400, "malformed_request", {"Content-Encoding": "gzip"}),
    "gzip that ends early": Case(
        lambda: gzipped(CSV)[:-12], TEXT, 400, "malformed_request", {"Content-Encoding": "gzip"}
    ),
    "corrupt gzip as file": Case(form(("a.csv.gz", CORRUPT)), FORM, 422, "corrupt_compression", failed=True),
    "gzip bomb as content coding": Case(
        lambda: bomb(gzipped), TEXT, 413, "body_too_large", {"Content-Encoding": "gzip"}
    ),
    "zstd bomb as content coding": Case(
        lambda: bomb(zstd.compress), TEXT, 413, "body_too_large", {"Content-Encoding": "zstd"}
    ),
    "gzip bomb as file": Case(bomb_file("a.csv.gz", gzipped), FORM, 413, "decoded_too_large", failed=True),
    "zstd bomb as file": Case(bomb_file("a.csv.zst", zstd.compress), FORM, 413, "decoded_too_large", failed=True),
    "JSON of 10 000 levels": Case(b"[" * 10_000 + b"]" * 10_000, JSON, 400, "malformed_request"),
    "a record of 10 000 levels": Case(
        records(b'{"price":' * 10_000 + b"1" + b"}" * 10_000), JSON, 400, "malformed_request"
    ),
    "NaN": Case(records(with_price(b"NaN")), JSON, 400, "malformed_request"),
    "Infinity": Case(records(with_price(b"-Infinity")), JSON, 400, "malformed_request"),
    "NaN in a line": Case(
        json.dumps(RECORD).encode() + b"\n" + with_price(b"NaN"), NDJSON, 201, None, says=one_rejected("malformed_json")
    ),
    "an integer of 400 digits": Case(records(with_price(b"9" * 400)), JSON, 201, None, says=one_rejected("not_finite")),
    "a lone surrogate": Case(records(with_price(b'"\\ud800"')), JSON, 201, None, says=one_rejected("invalid_encoding")),
    "a record that is a list": Case(records(b"[1,2]"), JSON, 201, None, says=one_rejected("not_an_object")),
    "nothing but a record that is a list": Case(b"[[1,2]]", JSON, 422, "no_valid_record", failed=True),
    "5 000 columns": Case(MANY + b"\n" + MANY, TEXT, 422, "too_many_columns", failed=True),
    "a name with folders": Case(
        form(("../../etc/a.csv", CSV)), FORM, 201, None, says={"count": 1, "filename": "a.csv"}
    ),
    "a name with control characters": Case(
        form(("a\x01\x7f.csv", CSV)), FORM, 201, None, says={"count": 1, "filename": "a.csv"}
    ),
    "a symbolic link as path": path("link.csv"),
    "a FIFO as path": path("fifo.csv"),
    "/dev/zero as path": path("/dev/zero"),
    "a link to /dev/zero as path": path("zero.csv"),
    "/etc/passwd as path": path("/etc/passwd"),
}
