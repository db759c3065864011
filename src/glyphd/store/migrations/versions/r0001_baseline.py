"""Baseline: the tables that databases in the field have, created or adopted."""

from alembic import op

from glyphd.store.migrations.adoption import adopt

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    adopt(op.get_bind())


def downgrade() -> None:
    """Let go of the database; adopted tables are never dropped."""
