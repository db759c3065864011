"""Events: who did what to an import, when and why."""

import sqlalchemy as sa
from alembic import op

from glyphd.store.migrations.parking import OF_AN_IMPORT_THAT_IS_THERE, park_table, return_rows
from glyphd.store.types import JsonText, UtcTimestamp

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "import_events",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("import_id", sa.Text, sa.ForeignKey("import_batches.import_id", ondelete="RESTRICT"), nullable=False),
        sa.Column("at", UtcTimestamp, nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("action", sa.Text, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("reason", sa.Text),
        sa.Column("details", JsonText, nullable=False, server_default="{}"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_import_events_import_id", "import_events", ["import_id", "id"])
    return_rows(op.get_bind(), "import_events", OF_AN_IMPORT_THAT_IS_THERE)


def downgrade() -> None:
    park_table(op.get_bind(), "import_events")
