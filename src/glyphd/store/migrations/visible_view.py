"""The view `visible_listings`, for third parties that read by SQL, as revisions 0010 and 0012 make it."""

from glyphd.store.migrations.rules import VISIBLE

_COLUMNS = (
    *("id", "canonical_model", "price", "vram_gb", "tdp_watts", "mig_support", "nvlink", "generation", "cuda_cores"),
    *("slot_width", "pcie_generation", "form_factor", "notes", "warnings", "score", "condition", "quantity"),
    *("min_order_qty", "seller", "region", "source_url", "source_type", "seen_at", "created_at", "updated_at"),
    *("import_id", "import_index"),
)
_SELECT = f"CREATE VIEW visible_listings AS SELECT {', '.join(f'l.{name}' for name in _COLUMNS)} FROM scored_listings l"

BEFORE_REPLAYS = (
    f"{_SELECT} JOIN import_batches b ON b.import_id = l.import_id"
    " LEFT JOIN import_batches parent ON parent.import_id = b.parent_import_id"
    " WHERE b.status = 'published' AND (b.parent_import_id IS NULL OR parent.status = 'published')"
)
"""Every published import whose batch is published."""

WITH_REPLAYS = f"{_SELECT} WHERE l.import_id IN ({VISIBLE})"
"""The newest published replay stands for its batch."""
