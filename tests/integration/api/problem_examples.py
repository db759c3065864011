"""Requests that are answered with a problem: one for each type that a single request can provoke."""

import gzip
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.pipeline_run import MODELS, URL, enriched_file, scored_file, uploads

HEADER = b"canonical_model,vram_gb,mig_support,nvlink,tdp_watts,price,score\n"
GOOD, BAD = b"H100_PCIE_80GB,80,7,True,350,28450.00,71.4\n", b"H100_PCIE_80GB,80,7,True,350,call us,71.4\n"
UNKNOWN = "01997c1e-4a00-7d5e-9c39-0f6a4cf0a1b2"
OTHER_MODELS = (*MODELS[:2], "L4", *MODELS[3:])


@dataclass(frozen=True, slots=True)
class Asked:
    """A request, and the settings of the server that it goes to."""

    method: str
    path: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)


def batch(content: bytes, media_type: str = "text/csv", query: str = "", **settings: Any) -> Asked:
    """Return the request that submits a batch."""
    arguments = {"content": content, "headers": {"Content-Type": media_type}}
    return Asked("POST", f"/api/import{query}", arguments, settings)


def run(enriched: bytes, scored: bytes) -> Asked:
    """Return the request that submits a pipeline run."""
    return Asked("POST", URL, {"files": uploads(enriched, scored)})


def keyed(key: str) -> Asked:
    """Return a request with an idempotency key."""
    headers = {"Content-Type": "text/csv", "Idempotency-Key": key}
    return Asked("POST", "/api/import", {"content": HEADER + GOOD, "headers": headers})


ASKED = {
    "body_too_large": batch(HEADER + GOOD, max_body_bytes=50),
    "cell_too_large": batch(HEADER + GOOD, max_cell_bytes=10),
    "conflicting_options": Asked(
        "POST",
        "/api/import?source=wamatek",
        {"files": {"file": ("batch.csv", HEADER + GOOD)}, "data": {"source": "orrin"}},
    ),
    "corrupt_compression": Asked(
        "POST", "/api/import", {"files": {"file": ("batch.csv.gz", gzip.compress(HEADER + GOOD, mtime=0)[:-12])}}
    ),
    "decoded_too_large": Asked(
        "POST",
        "/api/import",
        {"files": {"file": ("batch.csv.gz", gzip.compress(HEADER + GOOD * 1_000, mtime=0))}},
        {"max_body_bytes": 1_000},
    ),
    "duplicate_header": batch(b"price," + HEADER + b"1," + GOOD),
    "empty_file": batch(HEADER),
    "unauthorized": Asked("POST", "/api/import", settings={"api_token": "a-token-of-this-test"}),
    "form_expired": Asked("POST", f"/imports/{UNKNOWN}/publish"),
    "upload_not_found": Asked("GET", f"/imports/new/{'0' * 32}"),
    "idempotency_key_malformed": keyed('"not closed'),
    "import_not_found": Asked("GET", f"/api/imports/{UNKNOWN}"),
    "incomplete_body": Asked(
        "POST",
        "/api/import",
        {
            "content": b'--XX\r\nContent-Disposition: form-data; name="file"; filename="batch.csv"\r\n\r\n' + HEADER,
            "headers": {"Content-Type": "multipart/form-data; boundary=XX"},
        },
    ),
    "invalid_parameter": Asked("GET", "/api/listings?limit=many"),
    "malformed_json": Asked("POST", "/api/import", {"files": {"file": ("batch.json", b'[{"price": 28450')}}),
    "malformed_parquet": batch(b"PAR1" + HEADER, "application/vnd.apache.parquet"),
    "malformed_request": batch(b'[{"price": NaN}]', "application/json"),
    "method_not_allowed": Asked("DELETE", "/api/imports"),
    "missing_column": batch(b"canonical_model,price\nH100_PCIE_80GB,28450\n"),
    "missing_file": batch(b"{}", "application/json"),
    "no_valid_record": batch(HEADER + BAD),
    "nul_byte": batch(HEADER + GOOD + b"A100,\0\n"),
    "pipeline_dir_unset": Asked("POST", URL, {"json": {"input_csv_path": "run/output.csv"}}),
    "pipeline_models_disagree": run(enriched_file(), scored_file(OTHER_MODELS)),
    "pipeline_path_refused": Asked(
        "POST", URL, {"json": {"input_csv_path": "/etc/passwd"}}, {"pipeline_dir": Path(__file__).parent}
    ),
    "pipeline_rows_differ": run(enriched_file(), scored_file(MODELS[:3])),
    "record_too_large": batch(
        b",".join([HEADER.strip(), *(b"c%d" % n for n in range(90))])
        + b"\n"
        + GOOD.strip()
        + (b"," + b"x" * 60_000) * 90
    ),
    "rejected_records": batch(HEADER + GOOD + BAD, query="?on_error=abort"),
    "route_not_found": Asked("GET", "/api/listing"),
    "listing_not_found": Asked("GET", "/api/listings/1f3a5c7e9b2d4f60/lineage"),
    "schema_version_not_found": Asked("GET", "/api/schema/v9"),
    "too_many_columns": batch(b",".join(b"c%d" % number for number in range(1_001)) + b"\n1\n"),
    "unsupported_format": batch(b"%PDF-1.7", "application/pdf"),
    "unsupported_schema_version": batch(HEADER + GOOD, query="?schema_version=v9"),
    "unterminated_quote": batch(HEADER + GOOD + b'"H100_PCIE_80GB,80'),
    "wrong_encoding": batch(HEADER.replace(b"score", b"sc\xf6re") + GOOD),
}
