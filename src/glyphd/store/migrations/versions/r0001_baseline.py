"""Baseline: the tables that databases in the field have, created or adopted."""

from alembic import op

from glyphd.store.migrations.steps import steps_of

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    steps_of(op.get_bind()).adopt(op.get_bind())


def downgrade() -> None:
    """Let go of the database; adopted tables are never dropped."""
