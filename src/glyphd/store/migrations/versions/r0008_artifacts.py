"""Artifacts: the bytes as submitted, by SHA-256, and which import they belong to."""

import sqlalchemy as sa
from alembic import op

from glyphd.store.migrations.parking import OF_AN_IMPORT_THAT_IS_THERE, park_table, return_rows
from glyphd.store.types import UtcTimestamp

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "artifacts",
        sa.Column("sha256", sa.Text, primary_key=True),
        sa.Column("bytes", sa.BigInteger, nullable=False),
        sa.Column("stored_at", UtcTimestamp, nullable=False),
    )
    op.create_table(
        "import_artifacts",
        sa.Column("import_id", sa.Text, sa.ForeignKey("import_batches.import_id", ondelete="RESTRICT"), nullable=False),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("sha256", sa.Text, sa.ForeignKey("artifacts.sha256", ondelete="RESTRICT"), nullable=False),
        sa.Column("filename", sa.Text),
        sa.Column("media_type", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("import_id", "role"),
    )
    op.create_index("ix_import_artifacts_sha256", "import_artifacts", ["sha256"])
    return_rows(op.get_bind(), "artifacts")
    return_rows(op.get_bind(), "import_artifacts", OF_AN_IMPORT_THAT_IS_THERE)


def downgrade() -> None:
    park_table(op.get_bind(), "import_artifacts")
    park_table(op.get_bind(), "artifacts")
