"""The tables, as they stand at the newest schema revision (DESIGN §4), on both engines.

A test builds one database from here and one from the migrations and asserts that they do not differ, on each engine.
What an import fills in bulk is keyed by the import there: on SQLite by a unique constraint beside the row's number, on
PostgreSQL by the primary key, without foreign keys (:func:`_import_major`).
"""

from typing import Any

from sqlalchemy import (
    DDL,
    BigInteger,
    Boolean,
    Column,
    Double,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    UniqueConstraint,
    event,
    false,
    text,
)
from sqlalchemy.dialects.sqlite import REAL
from sqlalchemy.types import TypeEngine

from glyphd.store.types import JsonText, PlainText, RowNumber, UtcTimestamp

metadata = MetaData()

Number: TypeEngine[float] = Double().with_variant(REAL(), "sqlite")
"""64 bits on both engines; the name REAL is what databases in the field say."""

NOW = text("CURRENT_TIMESTAMP")


def _legacy_raw() -> "Column[Any]":
    return Column("legacy_raw", JsonText, comment="by column: values found in the field that it cannot hold")


def _import_major(table: Table, *references: ForeignKeyConstraint) -> Table:
    """Key a table by import_id and import_index, as each engine does it best.

    PostgreSQL checks references row by row: 74-76k rows/s of COPY with them, 268-284k without (measured, DESIGN §4). So
    they are constraints on SQLite only; on PostgreSQL the audit compares whole imports, and triggers refuse to delete
    an import or a model under its rows.
    """
    table.primary_key.ddl_if(dialect="sqlite")
    unique = UniqueConstraint("import_id", "import_index", name=f"uq_{table.name}_import_index")
    for constraint in (unique, *references):
        table.append_constraint(constraint.ddl_if(dialect="sqlite"))
    # DDL has no types in SQLAlchemy 2.1
    key = DDL(f"ALTER TABLE {table.name} ADD PRIMARY KEY (import_id, import_index)")  # type: ignore[no-untyped-call]
    event.listen(table, "after_create", key.execute_if(dialect="postgresql"))
    return table


def _row_numbers() -> Index:
    """Find rows by their number on PostgreSQL, where it is no key; rows lie about in the order of their numbers.

    Measured, 1M rows: without an index written in 2.4 s, a row found in 51 ms, and later with each import; BRIN 2.2 s,
    24 kB, 0.4-2 ms; a B-tree 2.4-2.9 s, 22 MB, 0.1 ms. What the index does not sum up yet is read whole: hence
    `autosummarize`.
    """
    name, kept = "ix_scored_listings_id", {"autosummarize": "on"}
    return Index(name, "id", postgresql_using="brin", postgresql_with=kept).ddl_if(dialect="postgresql")


def _to_import() -> ForeignKeyConstraint:
    return ForeignKeyConstraint(["import_id"], ["import_batches.import_id"], ondelete="RESTRICT")


def row_key(table: Table) -> tuple["Column[Any]", ...]:
    """Return the columns by which the rows of an import are found and told apart, the import first, on both engines."""
    if "import_index" in table.c and table is not sightings:
        return table.c.import_id, table.c.import_index
    return tuple(table.primary_key.columns)


# -- the ledger -------------------------------------------------------------------------------------------------------

import_batches = Table(
    "import_batches",
    metadata,
    Column("id", RowNumber, Identity(), primary_key=True, comment="order of receipt; newest first is this, descending"),
    Column("import_id", PlainText, nullable=False, unique=True),
    Column("imported_at", UtcTimestamp, nullable=False, server_default=NOW, comment="time of receipt"),
    Column("source", PlainText),
    Column("record_count", Integer, server_default=text("0"), comment="kept for third-party SQL; equals count"),
    Column("description", PlainText),
    Column("kind", PlainText, nullable=False, server_default="batch"),
    Column("status", PlainText, nullable=False, server_default="published"),
    Column("schema_version", PlainText, nullable=False, server_default="v1.1"),
    Column("source_version", Integer, comment="place in the source's version chain; batches only"),
    Column("previous_import_id", PlainText),
    Column("parent_import_id", PlainText),
    Column("campaign_id", PlainText),
    Column("metadata", JsonText, nullable=False, server_default="{}"),
    Column("observed_at", UtcTimestamp, comment="when the crawl was made"),
    Column("on_error", PlainText, nullable=False, server_default="continue"),
    Column("publish_mode", PlainText, nullable=False, server_default="auto"),
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
    Column("worker", PlainText, comment="who holds the lease"),
    Column("lease_expires_at", UtcTimestamp),
    Column("fencing_token", Integer, nullable=False, server_default=text("0")),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column("records_done", Integer, nullable=False, server_default=text("0"), comment="live progress"),
    Column("rows_to_remove", Boolean, nullable=False, server_default=false(), comment="a worker still has to clean up"),
    _legacy_raw(),
    Column("bytes_done", BigInteger, nullable=False, server_default=text("0"), comment="live progress"),
    Column("bytes_total", BigInteger, comment="of what is read; NULL while nobody knows"),
    Column("progressed_at", UtcTimestamp, comment="when records_done and bytes_done were counted"),
    Index("uq_import_batches_source_version", "source", "source_version", unique=True),
    Index("ix_import_batches_status", "status", "id"),
    Index(
        "ix_import_batches_rows_to_remove",
        "id",
        sqlite_where=text("rows_to_remove"),
        postgresql_where=text("rows_to_remove"),
    ),
    Index(
        "ix_import_batches_parent_import_id",
        "parent_import_id",
        "id",
        sqlite_where=text("parent_import_id IS NOT NULL"),
        postgresql_where=text("parent_import_id IS NOT NULL"),
    ),
    sqlite_autoincrement=True,
)

import_events = Table(
    "import_events",
    metadata,
    Column("id", RowNumber, Identity(), primary_key=True),
    Column("import_id", PlainText, ForeignKey("import_batches.import_id", ondelete="RESTRICT"), nullable=False),
    Column("at", UtcTimestamp, nullable=False),
    Column("actor", PlainText, nullable=False),
    Column("action", PlainText, nullable=False),
    Column("status", PlainText, nullable=False, comment="of the import, after the action"),
    Column("reason", PlainText),
    Column("details", JsonText, nullable=False, server_default="{}"),
    Index("ix_import_events_import_id", "import_id", "id"),
    sqlite_autoincrement=True,
)

idempotency_keys = Table(
    "idempotency_keys",
    metadata,
    Column("key", PlainText, primary_key=True),
    Column("claim", PlainText, nullable=False, comment="of the request that is being received, or was"),
    Column("fingerprint", PlainText, comment="of what was received; NULL until then"),
    Column("import_id", PlainText, ForeignKey("import_batches.import_id", ondelete="RESTRICT")),
    Column("created_at", UtcTimestamp, nullable=False),
    Column("expires_at", UtcTimestamp, nullable=False, comment="from then on the key is free"),
    Index("ix_idempotency_keys_expires_at", "expires_at"),
)

artifacts = Table(
    "artifacts",
    metadata,
    Column("sha256", PlainText, primary_key=True),
    Column("bytes", BigInteger, nullable=False),
    Column("stored_at", UtcTimestamp, nullable=False),
)

import_artifacts = Table(
    "import_artifacts",
    metadata,
    Column("import_id", PlainText, ForeignKey("import_batches.import_id", ondelete="RESTRICT"), nullable=False),
    Column("role", PlainText, nullable=False),
    Column("sha256", PlainText, ForeignKey("artifacts.sha256", ondelete="RESTRICT"), nullable=False),
    Column("filename", PlainText),
    Column("media_type", PlainText, nullable=False),
    PrimaryKeyConstraint("import_id", "role"),
    Index("ix_import_artifacts_sha256", "sha256"),
)

import_rejections = _import_major(
    Table(
        "import_rejections",
        metadata,
        Column("id", RowNumber, Identity(), primary_key=True),
        Column("import_id", PlainText, nullable=False),
        Column("import_index", Integer, nullable=False),
        Column("raw", LargeBinary, nullable=False, comment="the record's bytes as submitted"),
        Column("issues", PlainText, nullable=False, comment="JSON array of {field, code, message, value}"),
    ),
    _to_import(),
)

# -- the rows ---------------------------------------------------------------------------------------------------------

models = Table(
    "models",
    metadata,
    Column("id", RowNumber, Identity(), primary_key=True),
    Column("model", PlainText, nullable=False, unique=True),
    Column("vram_gb", Integer),
    Column("tdp_watts", Integer),
    Column("mig_support", Integer, server_default=text("0")),
    Column("nvlink", Boolean, server_default=false()),
    Column("generation", PlainText),
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
    Column(
        "import_id", PlainText, ForeignKey("import_batches.import_id", ondelete="RESTRICT"), comment="first to name it"
    ),
    _legacy_raw(),
    sqlite_autoincrement=True,
)

listings = Table(
    "listings",
    metadata,
    Column("id", RowNumber, Identity(), primary_key=True),
    Column("title", PlainText, nullable=False),
    Column("price", Number, nullable=False),
    Column("canonical_model", PlainText, ForeignKey("models.model", ondelete="CASCADE"), nullable=False),
    Column("match_type", PlainText, nullable=False),
    Column("match_score", Number, nullable=False),
    Column("created_at", UtcTimestamp, nullable=False, server_default=NOW),
    Column("updated_at", UtcTimestamp, nullable=False, server_default=NOW),
    Column("import_id", PlainText, ForeignKey("import_batches.import_id", ondelete="RESTRICT"), nullable=False),
    Column("import_index", Integer, nullable=False),
    _legacy_raw(),
    UniqueConstraint("import_id", "import_index", name="uq_listings_import_index"),
    sqlite_autoincrement=True,
)

scored_listings = _import_major(
    Table(
        "scored_listings",
        metadata,
        Column("id", RowNumber, Identity(), primary_key=True),
        Column("canonical_model", PlainText, nullable=False),
        Column("price", Number, nullable=False),
        Column("vram_gb", Integer, nullable=False),
        Column("tdp_watts", Integer, nullable=False),
        Column("mig_support", Integer, server_default=text("0")),
        Column("nvlink", Boolean, server_default=false()),
        Column("generation", PlainText),
        Column("cuda_cores", Integer),
        Column("slot_width", Integer),
        Column("pcie_generation", Integer),
        Column("form_factor", PlainText, server_default="Standard"),
        Column("notes", PlainText),
        Column("warnings", PlainText),
        Column("score", Number, nullable=False),
        Column("condition", PlainText),
        Column("quantity", Integer),
        Column("min_order_qty", Integer),
        Column("seller", PlainText),
        Column("region", PlainText),
        Column("source_url", PlainText),
        Column("source_type", PlainText),
        Column("seen_at", UtcTimestamp),
        Column("created_at", UtcTimestamp, nullable=False, server_default=NOW),
        Column("updated_at", UtcTimestamp, nullable=False, server_default=NOW),
        Column("import_id", PlainText, nullable=False),
        Column("import_index", Integer, nullable=False),
        _legacy_raw(),
        _row_numbers(),
        sqlite_autoincrement=True,
    ),
    ForeignKeyConstraint(["canonical_model"], ["models.model"], ondelete="CASCADE"),
    _to_import(),
)

quantized_listings = Table(
    "quantized_listings",
    metadata,
    Column("id", RowNumber, Identity(), primary_key=True),
    Column("scored_listing_id", RowNumber, nullable=False),
    Column("model_7b", Integer, nullable=False),
    Column("model_13b", Integer, nullable=False),
    Column("model_70b", Integer, nullable=False),
    Column("created_at", UtcTimestamp, nullable=False, server_default=NOW),
    Column("updated_at", UtcTimestamp, nullable=False, server_default=NOW),
    Column("import_id", PlainText, ForeignKey("import_batches.import_id", ondelete="RESTRICT"), nullable=False),
    Column("import_index", Integer, nullable=False),
    _legacy_raw(),
    ForeignKeyConstraint(["scored_listing_id"], ["scored_listings.id"], ondelete="CASCADE").ddl_if(dialect="sqlite"),
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
    Column("import_id", PlainText, nullable=False),
    Column("canonical_model", PlainText, nullable=False),
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
    Column("import_id", PlainText, nullable=False),
    Column("canonical_model", PlainText, nullable=False),
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
    Column("import_id", PlainText, nullable=False),
    Column("field", PlainText, nullable=False),
    Column("value", PlainText, nullable=False),
    Column("listing_count", Integer, nullable=False),
    PrimaryKeyConstraint("import_id", "field", "value"),
    sqlite_with_rowid=False,
)

schema_version = Table(
    "schema_version",
    metadata,
    Column("id", RowNumber, Identity(), primary_key=True),
    Column("version", PlainText, nullable=False),
    Column("applied_at", UtcTimestamp, nullable=False, server_default=NOW),
    Column("description", PlainText),
    sqlite_autoincrement=True,
)
