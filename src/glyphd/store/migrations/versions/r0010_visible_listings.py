"""Visible listings: a view for third parties that read by SQL."""

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_COLUMNS = (
    *("id", "canonical_model", "price", "vram_gb", "tdp_watts", "mig_support", "nvlink", "generation", "cuda_cores"),
    *("slot_width", "pcie_generation", "form_factor", "notes", "warnings", "score", "condition", "quantity"),
    *("min_order_qty", "seller", "region", "source_url", "source_type", "seen_at", "created_at", "updated_at"),
    *("import_id", "import_index"),
)


def upgrade() -> None:
    op.execute(
        f"CREATE VIEW visible_listings AS SELECT {', '.join(f'l.{name}' for name in _COLUMNS)}"
        " FROM scored_listings l JOIN import_batches b ON b.import_id = l.import_id"
        " LEFT JOIN import_batches parent ON parent.import_id = b.parent_import_id"
        " WHERE b.status = 'published' AND (b.parent_import_id IS NULL OR parent.status = 'published')"
    )


def downgrade() -> None:
    op.execute("DROP VIEW visible_listings")
