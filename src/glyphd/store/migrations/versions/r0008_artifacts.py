"""Artifacts: the bytes as submitted, by SHA-256, and which import they belong to."""

import sqlalchemy as sa
from alembic import op

from glyphd.store.migrations.rules import OF_AN_IMPORT_THAT_IS_THERE
from glyphd.store.migrations.steps import steps_of
from glyphd.store.types import PlainText, UtcTimestamp

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "artifacts",
        sa.Column("sha256", PlainText, primary_key=True),
        sa.Column("bytes", sa.BigInteger, nullable=False),
        sa.Column("stored_at", UtcTimestamp, nullable=False),
    )
    op.create_table(
        "import_artifacts",
        sa.Column(
            "import_id", PlainText, sa.ForeignKey("import_batches.import_id", ondelete="RESTRICT"), nullable=False
        ),
        sa.Column("role", PlainText, nullable=False),
        sa.Column("sha256", PlainText, sa.ForeignKey("artifacts.sha256", ondelete="RESTRICT"), nullable=False),
        sa.Column("filename", PlainText),
        sa.Column("media_type", PlainText, nullable=False),
        sa.PrimaryKeyConstraint("import_id", "role"),
    )
    op.create_index("ix_import_artifacts_sha256", "import_artifacts", ["sha256"])
    steps_of(op.get_bind()).return_table(op.get_bind(), "artifacts")
    steps_of(op.get_bind()).return_table(op.get_bind(), "import_artifacts", OF_AN_IMPORT_THAT_IS_THERE)


def downgrade() -> None:
    steps_of(op.get_bind()).park_table(op.get_bind(), "import_artifacts")
    steps_of(op.get_bind()).park_table(op.get_bind(), "artifacts")
