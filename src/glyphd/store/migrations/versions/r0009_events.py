"""Events: who did what to an import, when and why."""

import sqlalchemy as sa
from alembic import op

from glyphd.store.migrations.rules import OF_AN_IMPORT_THAT_IS_THERE
from glyphd.store.migrations.steps import steps_of
from glyphd.store.types import JsonText, PlainText, RowNumber, UtcTimestamp

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "import_events",
        sa.Column("id", RowNumber, sa.Identity(), primary_key=True),
        sa.Column(
            "import_id", PlainText, sa.ForeignKey("import_batches.import_id", ondelete="RESTRICT"), nullable=False
        ),
        sa.Column("at", UtcTimestamp, nullable=False),
        sa.Column("actor", PlainText, nullable=False),
        sa.Column("action", PlainText, nullable=False),
        sa.Column("status", PlainText, nullable=False),
        sa.Column("reason", PlainText),
        sa.Column("details", JsonText, nullable=False, server_default="{}"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_import_events_import_id", "import_events", ["import_id", "id"])
    steps_of(op.get_bind()).return_table(op.get_bind(), "import_events", OF_AN_IMPORT_THAT_IS_THERE)


def downgrade() -> None:
    steps_of(op.get_bind()).park_table(op.get_bind(), "import_events")
