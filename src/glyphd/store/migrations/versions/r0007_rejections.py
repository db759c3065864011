"""Rejections: every submitted record that was not stored, its bytes and why."""

import sqlalchemy as sa
from alembic import op

from glyphd.store.migrations.parking import OF_AN_IMPORT_THAT_IS_THERE, park_table, return_rows

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "import_rejections",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("import_id", sa.Text, sa.ForeignKey("import_batches.import_id", ondelete="RESTRICT"), nullable=False),
        sa.Column("import_index", sa.Integer, nullable=False),
        sa.Column("raw", sa.LargeBinary, nullable=False),
        sa.Column("issues", sa.Text, nullable=False),
        sa.UniqueConstraint("import_id", "import_index", name="uq_import_rejections_import_index"),
    )
    return_rows(op.get_bind(), "import_rejections", OF_AN_IMPORT_THAT_IS_THERE)


def downgrade() -> None:
    park_table(op.get_bind(), "import_rejections")
