"""The schema before there were migrations (DESIGN §4), frozen: revision 0001 creates it, or completes what it finds.

The same tables on both engines.
"""

import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import REAL

from glyphd.store.types import PlainText, RowNumber, UtcTimestamp

metadata = sa.MetaData()

NUMBER: sa.types.TypeEngine[float] = sa.Double().with_variant(REAL(), "sqlite")
_NOW = sa.text("CURRENT_TIMESTAMP")
_ZERO = sa.text("0")


def _timestamps() -> tuple["sa.Column[object]", ...]:
    return tuple(
        sa.Column(name, UtcTimestamp, nullable=False, server_default=_NOW) for name in ("created_at", "updated_at")
    )


def _import_id() -> "sa.Column[str]":
    return sa.Column("import_id", PlainText, sa.ForeignKey("import_batches.import_id", ondelete="SET NULL"))


def _model() -> "sa.Column[str]":
    reference = sa.ForeignKey("models.model", ondelete="CASCADE")
    return sa.Column("canonical_model", PlainText, reference, nullable=False)


def _specs() -> tuple["sa.Column[object]", ...]:
    return (
        sa.Column("mig_support", sa.Integer, server_default=_ZERO),
        sa.Column("nvlink", sa.Boolean, server_default=sa.false()),
        sa.Column("generation", PlainText),
        sa.Column("cuda_cores", sa.Integer),
        sa.Column("slot_width", sa.Integer),
        sa.Column("pcie_generation", sa.Integer),
    )


schema_version = sa.Table(
    "schema_version",
    metadata,
    sa.Column("id", RowNumber, sa.Identity(), primary_key=True),
    sa.Column("version", PlainText, nullable=False),
    sa.Column("applied_at", UtcTimestamp, nullable=False, server_default=_NOW),
    sa.Column("description", PlainText),
    sqlite_autoincrement=True,
)

import_batches = sa.Table(
    "import_batches",
    metadata,
    sa.Column("id", RowNumber, sa.Identity(), primary_key=True),
    sa.Column("import_id", PlainText, nullable=False, unique=True),
    sa.Column("imported_at", UtcTimestamp, nullable=False, server_default=_NOW),
    sa.Column("source", PlainText),
    sa.Column("record_count", sa.Integer, server_default=_ZERO),
    sa.Column("description", PlainText),
    sqlite_autoincrement=True,
)

models = sa.Table(
    "models",
    metadata,
    sa.Column("id", RowNumber, sa.Identity(), primary_key=True),
    sa.Column("model", PlainText, nullable=False, unique=True),
    sa.Column("vram_gb", sa.Integer),
    sa.Column("tdp_watts", sa.Integer),
    *_specs(),
    sa.Column("listing_count", sa.Integer, server_default=_ZERO),
    sa.Column("min_price", NUMBER),
    sa.Column("median_price", NUMBER),
    sa.Column("max_price", NUMBER),
    sa.Column("avg_price", NUMBER),
    *_timestamps(),
    _import_id(),
    sa.Index("idx_models_model", "model"),
    sqlite_autoincrement=True,
)

listings = sa.Table(
    "listings",
    metadata,
    sa.Column("id", RowNumber, sa.Identity(), primary_key=True),
    sa.Column("title", PlainText, nullable=False),
    sa.Column("price", NUMBER, nullable=False),
    _model(),
    sa.Column("match_type", PlainText, nullable=False),
    sa.Column("match_score", NUMBER, nullable=False),
    *_timestamps(),
    _import_id(),
    sa.Index("idx_listings_canonical_model", "canonical_model"),
    sa.Index("idx_listings_import_id", "import_id"),
    sqlite_autoincrement=True,
)

scored_listings = sa.Table(
    "scored_listings",
    metadata,
    sa.Column("id", RowNumber, sa.Identity(), primary_key=True),
    _model(),
    sa.Column("price", NUMBER, nullable=False),
    sa.Column("vram_gb", sa.Integer, nullable=False),
    sa.Column("tdp_watts", sa.Integer, nullable=False),
    *_specs(),
    sa.Column("form_factor", PlainText, server_default="Standard"),
    sa.Column("notes", PlainText),
    sa.Column("warnings", PlainText),
    sa.Column("score", NUMBER, nullable=False),
    sa.Column("condition", PlainText),
    sa.Column("quantity", sa.Integer),
    sa.Column("min_order_qty", sa.Integer),
    sa.Column("seller", PlainText),
    sa.Column("region", PlainText),
    sa.Column("source_url", PlainText),
    sa.Column("source_type", PlainText),
    sa.Column("seen_at", UtcTimestamp),
    *_timestamps(),
    _import_id(),
    *(
        sa.Index(f"idx_scored_listings_{name}", name)
        for name in ("canonical_model", "score", "region", "seen_at", "import_id")
    ),
    sqlite_autoincrement=True,
)

quantized_listings = sa.Table(
    "quantized_listings",
    metadata,
    sa.Column("id", RowNumber, sa.Identity(), primary_key=True),
    sa.Column("scored_listing_id", RowNumber, sa.ForeignKey("scored_listings.id", ondelete="CASCADE"), nullable=False),
    *(sa.Column(name, sa.Integer, nullable=False) for name in ("model_7b", "model_13b", "model_70b")),
    *_timestamps(),
    _import_id(),
    sa.Index("idx_quantized_listings_scored_listing_id", "scored_listing_id"),
    sqlite_autoincrement=True,
)

BUMPED = ("models", "listings", "scored_listings", "quantized_listings")
"""Tables whose `updated_at` follows every update."""
