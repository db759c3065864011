"""The tables, as they stand at the newest schema revision (DESIGN §4).

A test builds one database from here and one from the migrations and asserts that they do not differ.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.sqlite import REAL
from sqlalchemy.types import TypeEngine

from glyphd.store.types import JsonText, UtcTimestamp

metadata = MetaData()

Number: TypeEngine[float] = Double().with_variant(REAL(), "sqlite")
"""64 bits on both engines; the name REAL is what databases in the field say."""

NOW = text("CURRENT_TIMESTAMP")

# -- the ledger -------------------------------------------------------------------------------------------------------

import_batches = Table(
    "import_batches",
    metadata,
    Column("id", Integer, primary_key=True, comment="order of receipt; newest first is this, descending"),
    Column("import_id", Text, nullable=False, unique=True),
    Column("imported_at", UtcTimestamp, nullable=False, server_default=NOW, comment="time of receipt"),
    Column("source", Text),
    Column("record_count", Integer, server_default=text("0"), comment="kept for third-party SQL; equals count"),
    Column("description", Text),
    Column("kind", Text, nullable=False, server_default="batch"),
    Column("status", Text, nullable=False, server_default="published"),
    Column("schema_version", Text, nullable=False, server_default="v1.1"),
    Column("source_version", Integer, comment="place in the source's version chain; batches only"),
    Column("previous_import_id", Text),
    Column("parent_import_id", Text),
    Column("campaign_id", Text),
    Column("metadata", JsonText, nullable=False, server_default="{}"),
    Column("observed_at", UtcTimestamp, comment="when the crawl was made"),
    Column("on_error", Text, nullable=False, server_default="continue"),
    Column("publish_mode", Text, nullable=False, server_default="auto"),
    Column("received", Integer, nullable=False, server_default=text("0")),
    Column("count", Integer, nullable=False, server_default=text("0")),
    Column("rejected", Integer, nullable=False, server_default=text("0")),
    Column("error_counts", JsonText, nullable=False, server_default="{}"),
    Column("warning_counts", JsonText, nullable=False, server_default="{}"),
    Column("ignored_columns", JsonText, nullable=False, server_default="[]"),
    Column("column_mapping", JsonText, nullable=False, server_default="{}", comment="header as submitted to field"),
    Column("gates", JsonText, nullable=False, server_default="[]"),
    Column("failure", JsonText, comment="the problem that failed the import"),
    Column("min_price", Number),
    Column("max_price", Number),
    Column("min_score", Number),
    Column("max_score", Number),
    Column("uncounted_facets", JsonText, nullable=False, server_default="[]", comment="facets with too many values"),
    Column("started_at", UtcTimestamp),
    Column("completed_at", UtcTimestamp),
    Column("published_at", UtcTimestamp),
    Column("worker", Text, comment="who holds the lease"),
    Column("lease_expires_at", UtcTimestamp),
    Column("fencing_token", Integer, nullable=False, server_default=text("0")),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column("records_done", Integer, nullable=False, server_default=text("0"), comment="live progress"),
    Column(
        "rows_to_remove", Boolean, nullable=False, server_default=text("0"), comment="a worker still has to clean up"
    ),
    Index("uq_import_batches_source_version", "source", "source_version", unique=True),
    Index("ix_import_batches_status", "status", "id"),
    Index(
        "ix_import_batches_rows_to_remove",
        "id",
        sqlite_where=text("rows_to_remove"),
        postgresql_where=text("rows_to_remove"),
    ),
    sqlite_autoincrement=True,
)

import_events = Table(
    "import_events",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("import_id", Text, ForeignKey("import_batches.import_id", ondelete="RESTRICT"), nullable=False),
    Column("at", UtcTimestamp, nullable=False),
    Column("actor", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("status", Text, nullable=False, comment="of the import, after the action"),
    Column("reason", Text),
    Column("details", JsonText, nullable=False, server_default="{}"),
    Index("ix_import_events_import_id", "import_id", "id"),
    sqlite_autoincrement=True,
)

artifacts = Table(
    "artifacts",
    metadata,
    Column("sha256", Text, primary_key=True),
    Column("bytes", BigInteger, nullable=False),
    Column("stored_at", UtcTimestamp, nullable=False),
)

import_artifacts = Table(
    "import_artifacts",
    metadata,
    Column("import_id", Text, ForeignKey("import_batches.import_id", ondelete="RESTRICT"), nullable=False),
    Column("role", Text, nullable=False),
    Column("sha256", Text, ForeignKey("artifacts.sha256", ondelete="RESTRICT"), nullable=False),
    Column("filename", Text),
    Column("media_type", Text, nullable=False),
    PrimaryKeyConstraint("import_id", "role"),
    Index("ix_import_artifacts_sha256", "sha256"),
)

import_rejections = Table(
    "import_rejections",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("import_id", Text, ForeignKey("import_batches.import_id", ondelete="RESTRICT"), nullable=False),
    Column("import_index", Integer, nullable=False),
    Column("raw", LargeBinary, nullable=False, comment="the record's bytes as submitted"),
    Column("issues", Text, nullable=False, comment="JSON array of {field, code, message, value}"),
    UniqueConstraint("import_id", "import_index", name="uq_import_rejections_import_index"),
)

# -- the rows ---------------------------------------------------------------------------------------------------------

models = Table(
    "models",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("model", Text, nullable=False, unique=True),
    Column("vram_gb", Integer),
    Column("tdp_watts", Integer),
    Column("mig_support", Integer, server_default=text("0")),
    Column("nvlink", Boolean, server_default=text("0")),
    Column("generation", Text),
    Column("cuda_cores", Integer),
    Column("slot_width", Integer),
    Column("pcie_generation", Integer),
    Column("listing_count", Integer, server_default=text("0"), comment="legacy figure, no longer maintained"),
    Column("min_price", Number),
    Column("median_price", Number),
    Column("max_price", Number),
    Column("avg_price", Number),
    Column("created_at", UtcTimestamp, nullable=False, server_default=NOW),
    Column("updated_at", UtcTimestamp, nullable=False, server_default=NOW),
    Column("import_id", Text, ForeignKey("import_batches.import_id", ondelete="RESTRICT"), comment="first to name it"),
    sqlite_autoincrement=True,
)

listings = Table(
    "listings",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("title", Text, nullable=False),
    Column("price", Number, nullable=False),
    Column("canonical_model", Text, ForeignKey("models.model", ondelete="CASCADE"), nullable=False),
    Column("match_type", Text, nullable=False),
    Column("match_score", Number, nullable=False),
    Column("created_at", UtcTimestamp, nullable=False, server_default=NOW),
    Column("updated_at", UtcTimestamp, nullable=False, server_default=NOW),
    Column("import_id", Text, ForeignKey("import_batches.import_id", ondelete="RESTRICT"), nullable=False),
    Column("import_index", Integer, nullable=False),
    UniqueConstraint("import_id", "import_index", name="uq_listings_import_index"),
    sqlite_autoincrement=True,
)

scored_listings = Table(
    "scored_listings",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("canonical_model", Text, ForeignKey("models.model", ondelete="CASCADE"), nullable=False),
    Column("price", Number, nullable=False),
    Column("vram_gb", Integer, nullable=False),
    Column("tdp_watts", Integer, nullable=False),
    Column("mig_support", Integer, server_default=text("0")),
    Column("nvlink", Boolean, server_default=text("0")),
    Column("generation", Text),
    Column("cuda_cores", Integer),
    Column("slot_width", Integer),
    Column("pcie_generation", Integer),
    Column("form_factor", Text, server_default="Standard"),
    Column("notes", Text),
    Column("warnings", Text),
    Column("score", Number, nullable=False),
    Column("condition", Text),
    Column("quantity", Integer),
    Column("min_order_qty", Integer),
    Column("seller", Text),
    Column("region", Text),
    Column("source_url", Text),
    Column("source_type", Text),
    Column("seen_at", UtcTimestamp),
    Column("created_at", UtcTimestamp, nullable=False, server_default=NOW),
    Column("updated_at", UtcTimestamp, nullable=False, server_default=NOW),
    Column("import_id", Text, ForeignKey("import_batches.import_id", ondelete="RESTRICT"), nullable=False),
    Column("import_index", Integer, nullable=False),
    UniqueConstraint("import_id", "import_index", name="uq_scored_listings_import_index"),
    sqlite_autoincrement=True,
)

quantized_listings = Table(
    "quantized_listings",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("scored_listing_id", Integer, ForeignKey("scored_listings.id", ondelete="CASCADE"), nullable=False),
    Column("model_7b", Integer, nullable=False),
    Column("model_13b", Integer, nullable=False),
    Column("model_70b", Integer, nullable=False),
    Column("created_at", UtcTimestamp, nullable=False, server_default=NOW),
    Column("updated_at", UtcTimestamp, nullable=False, server_default=NOW),
    Column("import_id", Text, ForeignKey("import_batches.import_id", ondelete="RESTRICT"), nullable=False),
    Column("import_index", Integer, nullable=False),
    UniqueConstraint("import_id", "import_index", name="uq_quantized_listings_import_index"),
    Index(
        "idx_quantized_listings_scored_listing_id", "scored_listing_id"
    ),  # without it a delete of rows scans this table
    sqlite_autoincrement=True,
)

# -- derived from the rows, once per import, in sorted order ----------------------------------------------------------

sightings = Table(
    "sightings",
    metadata,
    Column("import_id", Text, nullable=False),
    Column("canonical_model", Text, nullable=False),
    Column("listing_key", BigInteger, nullable=False),
    Column("import_index", Integer, nullable=False),
    Column("price", Number, nullable=False),
    Column("score", Number, nullable=False),
    PrimaryKeyConstraint("import_id", "canonical_model", "listing_key", "import_index"),
    sqlite_with_rowid=False,
)

import_model_stats = Table(
    "import_model_stats",
    metadata,
    Column("import_id", Text, nullable=False),
    Column("canonical_model", Text, nullable=False),
    Column("listing_count", Integer, nullable=False),
    Column("min_price", Number, nullable=False),
    Column("p25_price", Number, nullable=False),
    Column("median_price", Number, nullable=False),
    Column("p75_price", Number, nullable=False),
    Column("max_price", Number, nullable=False),
    Column("avg_price", Number, nullable=False),
    Column("min_score", Number, nullable=False),
    Column("max_score", Number, nullable=False),
    Column("avg_score", Number, nullable=False),
    PrimaryKeyConstraint("import_id", "canonical_model"),
    sqlite_with_rowid=False,
)

import_facets = Table(
    "import_facets",
    metadata,
    Column("import_id", Text, nullable=False),
    Column("field", Text, nullable=False),
    Column("value", Text, nullable=False),
    Column("listing_count", Integer, nullable=False),
    PrimaryKeyConstraint("import_id", "field", "value"),
    sqlite_with_rowid=False,
)

schema_version = Table(
    "schema_version",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("version", Text, nullable=False),
    Column("applied_at", UtcTimestamp, nullable=False, server_default=NOW),
    Column("description", Text),
    sqlite_autoincrement=True,
)
