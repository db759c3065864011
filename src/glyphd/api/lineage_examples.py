"""Examples of what lineage answers: receipts, diffs, histories, reports, digests."""

from typing import Any

from glyphd.api.examples import CSV, EVENT, IMPORT_ID, LISTING, REPORT
from glyphd.domain.listing import FIELDS

PREVIOUS_ID = "01997c1e-4a00-7d5e-9c39-0f6a4cf0a1a1"

RECEIPT: dict[str, Any] = {
    "import_id": IMPORT_ID,
    "status": "rolled_back",
    "source": "wamatek",
    "changed": True,
    "rows_hidden": 8,
    "rows_shown": 0,
    "hidden_imports": [IMPORT_ID],
    "shown_imports": [],
    "later_imports": [],
    "current_view": {
        "import_id": PREVIOUS_ID,
        "source_version": 1,
        "observed_at": "2026-11-13T09:00:00Z",
        "count": 9,
        "import_ids": [PREVIOUS_ID],
    },
}

_FIGURES = {
    "appeared": 0,
    "disappeared": 1,
    "price_up": 1,
    "price_down": 0,
    "score_changed": 0,
    "unchanged": 7,
    "ambiguous": 0,
    "median_price_change_pct": 1.6434,
    "max_price_rise_pct": 1.6434,
    "max_price_fall_pct": None,
}

DIFF: dict[str, Any] = {
    "base": {
        "import_id": PREVIOUS_ID,
        "source": "wamatek",
        "source_version": 1,
        "observed_at": "2026-11-13T09:00:00Z",
        "status": "published",
        "count": 9,
    },
    "target": {
        "import_id": IMPORT_ID,
        "source": "wamatek",
        "source_version": 2,
        "observed_at": "2026-11-20T09:00:00Z",
        "status": "published",
        "count": 8,
    },
    "summary": {**_FIGURES, "models": [{**_FIGURES, "model": "H100_PCIE_80GB"}], "models_truncated": False},
    "items": [
        {
            "change": "price_up",
            "listing_key": "7ae0ed1e5e8f906a",
            "model": "H100_PCIE_80GB",
            "base_index": 1,
            "target_index": 1,
            "base_price": 27990.0,
            "target_price": 28450.0,
            "price_change": 460.0,
            "price_change_pct": 1.6434,
            "base_score": 72.1,
            "target_score": 71.4,
            "score_change": -0.7,
        }
    ],
    "next": None,
}

_RAW = CSV.splitlines()[1]
_CELLS = dict(zip(CSV.splitlines()[0].split(","), _RAW.split(","), strict=True))
_ORIGIN = (
    *("import_id", "kind", "status", "source", "source_version", "parent_import_id", "previous_import_id"),
    *("campaign_id", "metadata", "schema_version", "observed_at", "imported_at", "published_at"),
    *("received", "count", "rejected"),
)

LINEAGE: dict[str, Any] = {
    "outcome": "stored",
    "import_id": IMPORT_ID,
    "import_index": 1,
    "origin": {name: REPORT[name] for name in _ORIGIN},
    "artifacts": REPORT["artifacts"],
    "raw": _RAW,
    "raw_encoding": "utf8",
    "raw_missing": None,
    "conversions": [
        {
            "field": field.name,
            "header": field.name if field.name in _CELLS else None,
            "raw": _CELLS.get(field.name),
            "value": LISTING[field.name],
        }
        for field in FIELDS
    ],
    "warnings": [],
    "issues": [],
    "listing": LISTING,
    "earlier": [
        {
            "import_id": PREVIOUS_ID,
            "import_index": 1,
            "source": "wamatek",
            "observed_at": "2026-11-13T09:00:00Z",
            "price": 27990.0,
            "score": 72.1,
        }
    ],
    "later": [],
    "sightings_truncated": False,
    "events": [EVENT],
}

_BUCKET: dict[str, Any] = {
    "start": "2026-11-20T00:00:00Z",
    "import_id": None,
    "source": None,
    "count": 2,
    "min": 7899.5,
    "p25": 7962.125,
    "median": 8024.75,
    "p75": 8087.375,
    "max": 8150.0,
}

MODEL_HISTORY: dict[str, Any] = {
    "model": "a100-40gb-pcie",
    "names": ["A100_40GB_PCIE"],
    "bucket": "day",
    "items": [_BUCKET],
    "next": None,
}

SIGHTING: dict[str, Any] = {
    "import_id": IMPORT_ID,
    "import_index": 1,
    "source": "wamatek",
    "observed_at": "2026-11-20T09:00:00Z",
    "model": "A100_40GB_PCIE",
    "listing_key": "3f9a1c0d52e7b846",
    "price": 8150.0,
    "score": 71.4,
    "price_change": 150.0,
    "price_change_pct": 1.875,
    "score_change": 0.0,
    "earlier": {
        "import_id": PREVIOUS_ID,
        "import_index": 1,
        "observed_at": "2026-11-13T09:00:00Z",
        "price": 8000.0,
        "score": 71.4,
    },
}

ROW_DIGEST = {
    "import_id": IMPORT_ID,
    "row_digest": "e5009337f4184fb37974365909fb514b94e3e505a61ec735337375e3576fcacc",
}

_QUALITY: dict[str, Any] = {"received": 1, "count": 1, "rejected": 0, "error_counts": {}, "warning_counts": {}}


def _spread(figure: float) -> dict[str, float]:
    return dict.fromkeys(("min", "p25", "median", "p75", "max"), figure)


_RANGES = {"price": _spread(28450.0), "score": _spread(71.4)}
_OFFER = {
    "import_id": IMPORT_ID,
    "import_index": 1,
    "listing_key": "7ae0ed1e5e8f906a",
    "model": "H100_PCIE_80GB",
    "price": 28450.0,
    "score": 71.4,
    "score_per_dollar": 0.0025096660808435855,
    "condition": "New",
    "seller": "Halbry Systems",
    "region": "US",
    "source_url": "https://halbry.example/gpu/h100-pcie-80gb",
}
_ONE_RISE = {**_FIGURES, "disappeared": 0, "unchanged": 0}
MARKET_REPORT: dict[str, Any] = {
    "import_id": IMPORT_ID,
    "as_of": None,
    "source": None,
    "imports": [
        {
            "import_id": IMPORT_ID,
            "source": "wamatek",
            "source_version": 2,
            "kind": "batch",
            "previous_import_id": PREVIOUS_ID,
            "parent_import_id": None,
            "schema_version": "v1.1",
            "observed_at": "2026-11-20T09:00:00Z",
            "imported_at": "2026-11-20T09:00:00Z",
            **_QUALITY,
            "artifacts": [
                {
                    "role": "batch",
                    "sha256": "388b9092360d0a0ec80f172158cd6f6e3b585456c7cc3f73bde1f49eb95dc65a",
                    "bytes": 268,
                    "filename": None,
                    "media_type": "text/csv",
                }
            ],
        }
    ],
    "summary_stats": {"listing_count": 1, "model_count": 1, **_RANGES},
    "models": [{"model": "H100_PCIE_80GB", "listing_count": 1, **_RANGES}],
    "models_truncated": False,
    "top_ranked": [_OFFER],
    "best_value": [_OFFER],
    "under_budget": [{"budget": 50000.0, "listing_count": 1, "best": [_OFFER]}],
    "anomalies": {"count": 0, "threshold": 3.5, "min_listings": 5, "items": []},
    "changes": [
        {
            "import_id": IMPORT_ID,
            "source": "wamatek",
            "previous_import_id": PREVIOUS_ID,
            "figures": _ONE_RISE,
            "models": [{**_ONE_RISE, "model": "H100_PCIE_80GB"}],
        }
    ],
    "quality": _QUALITY,
    "markdown": f"# Market report of import {IMPORT_ID}\n\n1 listings of 1 models. Prices are USD.\n",
}
