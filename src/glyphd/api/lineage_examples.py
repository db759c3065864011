"""Examples of what lineage answers: receipts, diffs, histories, reports."""

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
