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
