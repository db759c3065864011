"""Examples in the OpenAPI document: what the service answers for `sample/scored_sample.csv` (a test compares them)."""

from typing import Any

IMPORT_ID = "01997c1e-4a00-7d5e-9c39-0f6a4cf0a1b2"
_OWN = f"/api/imports/{IMPORT_ID}"

_HEADER = (
    "canonical_model,vram_gb,mig_support,nvlink,tdp_watts,price,score,"
    "condition,quantity,seller,region,source_url,source_type,seen_at"
)

CSV = (
    f"{_HEADER}\nH100_PCIE_80GB,80,7,True,350,28450.00,71.4,New,4,Halbry Systems,US,"
    "https://halbry.example/gpu/h100-pcie-80gb,reseller,2026-11-20T08:12:00Z\n"
)

RECORD: dict[str, Any] = {
    "canonical_model": "H100_PCIE_80GB",
    "vram_gb": 80,
    "mig_support": 7,
    "nvlink": True,
    "tdp_watts": 350,
    "price": 28450.00,
    "score": 71.4,
    "condition": "New",
    "quantity": 4,
    "seller": "Halbry Systems",
    "region": "US",
    "source_url": "https://halbry.example/gpu/h100-pcie-80gb",
    "source_type": "reseller",
    "seen_at": "2026-11-20T08:12:00Z",
}

LISTING: dict[str, Any] = {
    "id": 1,
    "import_id": IMPORT_ID,
    "import_index": 1,
    "listing_key": "7ae0ed1e5e8f906a",
    "created_at": "2026-11-20T09:00:00Z",
    **dict.fromkeys(("generation", "cuda_cores", "slot_width", "pcie_generation", "form_factor"), None),
    **dict.fromkeys(("notes", "warnings", "min_order_qty"), None),
    **RECORD,
}

_PRICE_ISSUE = {
    "field": "price",
    "code": "not_a_number",
    "message": "price must be a number",
    "value": "Contact for Quote",
}
_MODEL_ISSUE = {
    "field": "canonical_model",
    "code": "unknown_model",
    "message": "canonical_model must name a model, not UNKNOWN",
    "value": "UNKNOWN",
}
_VRAM_ISSUE = {
    "field": "vram_gb",
    "code": "out_of_range",
    "message": "vram_gb must be between 1 and 1024",
    "value": "0",
}
_TDP_ISSUE = {
    "field": "tdp_watts",
    "code": "out_of_range",
    "message": "tdp_watts must be between 1 and 5000",
    "value": "0",
}

REPORT: dict[str, Any] = {
    "import_id": IMPORT_ID,
    "status": "published",
    "schema_version": "v1.1",
    "source": "wamatek",
    "source_version": 1,
    "previous_import_id": None,
    "parent_import_id": None,
    "kind": "batch",
    "campaign_id": None,
    "metadata": {},
    "observed_at": "2026-11-20T09:00:00Z",
    "imported_at": "2026-11-20T09:00:00Z",
    "completed_at": "2026-11-20T09:00:00.090000Z",
    "duration_ms": 90,
    "received": 10,
    "count": 8,
    "rejected": 2,
    "warning_counts": {"quantity_not_numeric": 2},
    "errors": [
        {"import_index": 9, **_PRICE_ISSUE},
        {"import_index": 10, **_MODEL_ISSUE},
        {"import_index": 10, **_VRAM_ISSUE},
        {"import_index": 10, **_TDP_ISSUE},
    ],
    "error_counts": {"not_a_number": 1, "out_of_range": 2, "unknown_model": 1},
    "errors_truncated": False,
    "ignored_columns": [],
    "duplicate_of": None,
    "price_range": [1749.0, 28450.0],
    "score_range": [33.1, 71.4],
    "top_models": [
        {"model": "A100_40GB_PCIE", "count": 2},
        {"model": "H100_PCIE_80GB", "count": 2},
        {"model": "L4", "count": 1},
        {"model": "L40S", "count": 1},
        {"model": "RTX_4090", "count": 1},
        {"model": "RTX_6000_ADA", "count": 1},
    ],
    "artifacts": [
        {
            "role": "batch",
            "sha256": "5f20dcd0362fc9beb70804854c81b2b270646283f4cd2809ead11a44463d3257",
            "bytes": 1426,
            "filename": "scored_sample.csv",
            "media_type": "text/csv",
        }
    ],
    "progress": None,
    "gates": [],
    "failure": None,
    "published_at": "2026-11-20T09:00:00.090000Z",
    "links": {
        "self": _OWN,
        "report": f"/api/report?import_id={IMPORT_ID}",
        "listings": f"/api/listings?import_id={IMPORT_ID}",
        "rejections": f"{_OWN}/rejections",
        "artifact": f"{_OWN}/artifact",
        "events": f"{_OWN}/events",
    },
}

PIPELINE_REPORT: dict[str, Any] = {
    **REPORT,
    "ignored_columns": ["model", "raw_score", "quantization_score"],
    "artifacts": [
        {
            "role": "enriched",
            "sha256": "0b1f2a4bb3c5d3f52c0ba2f6a9a5b9ce7c1d53a3e6b4f0d3a2f7c9e8d1b6a540",
            "bytes": 2210,
            "filename": "enriched.csv",
            "media_type": "text/csv",
        },
        {
            "role": "scored",
            "sha256": "7d9c4e1f6a8b2c3d5e7f90123456789abcdef0123456789abcdef0123456789a",
            "bytes": 312,
            "filename": "scored.csv",
            "media_type": "text/csv",
        },
    ],
}

_ONLY_IN_REPORTS = {
    *("import_id", "status", "source", "source_version", "previous_import_id", "parent_import_id", "kind"),
    *("campaign_id", "metadata", "observed_at", "imported_at", "completed_at", "duration_ms", "progress", "gates"),
    *("published_at", "links"),
}
VALIDATION: dict[str, Any] = {
    **{name: value for name, value in REPORT.items() if name not in _ONLY_IN_REPORTS},
    "would_import": True,
    "satisfies": ["v1.0", "v1.1"],
    "format": "CSV",
    "columns": {name: name for name in _HEADER.split(",")},
}

REJECTION: dict[str, Any] = {
    "import_index": 9,
    "raw": "A40,48,0,True,300,Contact for Quote,41.0,Used,3,Orrin Parts,Asia,"
    "https://orrin.example/p/a40,marketplace,2026-11-20T08:15:40Z",
    "raw_encoding": "utf8",
    "issues": [_PRICE_ISSUE],
}

REJECTIONS_CSV = f"import_index,_issues,{_HEADER}\n9,price: not_a_number,{REJECTION['raw']}\n"

EVENT: dict[str, Any] = {
    "at": "2026-11-20T09:00:00.090000Z",
    "actor": "worker",
    "action": "published",
    "status": "published",
    "reason": None,
    "details": {"count": 8, "rejected": 2},
}

MODEL: dict[str, Any] = {
    "model": "A100_40GB_PCIE",
    "listing_count": 2,
    "min_price": 7899.5,
    "median_price": 8024.75,
    "max_price": 8150.0,
    "avg_price": 8024.75,
    "last_seen_at": "2026-11-20T09:00:00Z",
    "vram_gb": 40,
    "tdp_watts": 250,
    "mig_support": 7,
    "nvlink": True,
    "generation": None,
    "cuda_cores": None,
    "slot_width": None,
    "pcie_generation": None,
}

SOURCE: dict[str, Any] = {
    "source": "wamatek",
    "imports": 1,
    "source_version": 1,
    "latest_import_id": IMPORT_ID,
    "latest_status": "published",
    "latest_imported_at": "2026-11-20T09:00:00Z",
    "current_import_id": IMPORT_ID,
    "current_observed_at": "2026-11-20T09:00:00Z",
    "current_published_at": "2026-11-20T09:00:00.090000Z",
    "received": 10,
    "count": 8,
    "rejected": 2,
}


def page(item: dict[str, Any]) -> dict[str, Any]:
    """Return a page that holds one item."""
    return {"items": [item], "next": None}


WAITING: dict[str, Any] = {
    **dict.fromkeys(("records_done", "bytes_done", "attempts"), 0),
    **dict.fromkeys(("bytes_total", "records_per_second", "eta_seconds", "started_at"), None),
    "waiting_before": 2,
}
