"""Idempotency keys, live progress, and replays that stand for their batch in the view of visible listings."""

import sqlalchemy as sa
from alembic import op

from glyphd.store.migrations.rules import OF_AN_IMPORT_THAT_IS_THERE
from glyphd.store.migrations.steps import steps_of
from glyphd.store.migrations.visible_view import BEFORE_REPLAYS, WITH_REPLAYS
from glyphd.store.types import PlainText, UtcTimestamp

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_PROGRESS = (
    sa.Column("bytes_done", sa.BigInteger, nullable=False, server_default=sa.text("0")),
    sa.Column("bytes_total", sa.BigInteger),
    sa.Column("progressed_at", UtcTimestamp),
)

_STILL_TRUE = f"{OF_AN_IMPORT_THAT_IS_THERE} OR p.import_id IS NULL"


def upgrade() -> None:
    bind = op.get_bind()
    op.create_table(
        "idempotency_keys",
        sa.Column("key", PlainText, primary_key=True),
        sa.Column("claim", PlainText, nullable=False),
        sa.Column("fingerprint", PlainText),
        sa.Column("import_id", PlainText, sa.ForeignKey("import_batches.import_id", ondelete="RESTRICT")),
        sa.Column("created_at", UtcTimestamp, nullable=False),
        sa.Column("expires_at", UtcTimestamp, nullable=False),
    )
    op.create_index("ix_idempotency_keys_expires_at", "idempotency_keys", ["expires_at"])
    steps_of(bind).return_table(bind, "idempotency_keys", _STILL_TRUE)
    steps_of(bind).add_ledger_columns(bind, revision, _PROGRESS)
    op.create_index(
        "ix_import_batches_parent_import_id",
        "import_batches",
        ["parent_import_id", "id"],
        sqlite_where=sa.text("parent_import_id IS NOT NULL"),
        postgresql_where=sa.text("parent_import_id IS NOT NULL"),
    )
    op.execute("DROP VIEW visible_listings")
    op.execute(WITH_REPLAYS)


def downgrade() -> None:
    bind = op.get_bind()
    op.execute("DROP VIEW visible_listings")
    op.execute(BEFORE_REPLAYS)
    op.drop_index("ix_import_batches_parent_import_id", "import_batches")
    steps_of(bind).drop_ledger_columns(bind, revision, _PROGRESS)
    steps_of(bind).park_table(bind, "idempotency_keys")
