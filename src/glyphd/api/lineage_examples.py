"""Examples of what lineage answers: receipts, diffs, histories, reports."""

from typing import Any

from glyphd.api.examples import IMPORT_ID

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
