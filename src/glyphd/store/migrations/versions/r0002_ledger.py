"""Ledger: imports get their status, counts, version chain and lease."""

from typing import Any

import sqlalchemy as sa
from alembic import op

from glyphd.store.migrations.baseline import NUMBER
from glyphd.store.migrations.steps import steps_of
from glyphd.store.types import JsonText, PlainText, UtcTimestamp

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def _text(name: str, default: str | None = None) -> "sa.Column[str]":
    return sa.Column(name, PlainText, nullable=default is None, server_default=default)


def _json(name: str, default: str | None) -> "sa.Column[object]":
    return sa.Column(name, JsonText, nullable=default is None, server_default=default)


def _count(name: str) -> "sa.Column[int]":
    return sa.Column(name, sa.Integer, nullable=False, server_default=sa.text("0"))


def _moment(name: str) -> "sa.Column[object]":
    return sa.Column(name, UtcTimestamp)


COLUMNS: tuple["sa.Column[Any]", ...] = (
    _text("kind", "batch"),
    _text("status", "published"),
    _text("schema_version", "v1.1"),
    sa.Column("source_version", sa.Integer),
    _text("previous_import_id"),
    _text("parent_import_id"),
    _text("campaign_id"),
    _json("metadata", "{}"),
    _moment("observed_at"),
    _text("on_error", "continue"),
    _text("publish_mode", "auto"),
    *map(_count, ("received", "count", "rejected")),
    _json("error_counts", "{}"),
    _json("warning_counts", "{}"),
    _json("ignored_columns", "[]"),
    _json("column_mapping", "{}"),
    _json("gates", "[]"),
    _json("failure", None),
    *(sa.Column(name, NUMBER) for name in ("min_price", "max_price", "min_score", "max_score")),
    _json("uncounted_facets", "[]"),
    *map(_moment, ("started_at", "completed_at", "published_at")),
    _text("worker"),
    _moment("lease_expires_at"),
    *map(_count, ("fencing_token", "attempts", "records_done")),
    sa.Column("rows_to_remove", sa.Boolean, nullable=False, server_default=sa.false()),
)


def upgrade() -> None:
    steps_of(op.get_bind()).extend_ledger(op.get_bind(), COLUMNS)
    op.create_index("uq_import_batches_source_version", "import_batches", ["source", "source_version"], unique=True)
    op.create_index("ix_import_batches_status", "import_batches", ["status", "id"])
    to_clean = sa.text("rows_to_remove")
    op.create_index(
        "ix_import_batches_rows_to_remove",
        "import_batches",
        ["id"],
        sqlite_where=to_clean,
        postgresql_where=to_clean,
    )


def downgrade() -> None:
    for index in ("rows_to_remove", "status"):
        op.drop_index(f"ix_import_batches_{index}", "import_batches")
    op.drop_index("uq_import_batches_source_version", "import_batches")
    steps_of(op.get_bind()).reduce_ledger(op.get_bind(), COLUMNS)
