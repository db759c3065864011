"""Visible listings: a view for third parties that read by SQL."""

from alembic import op

from glyphd.store.migrations.visible_view import BEFORE_REPLAYS

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(BEFORE_REPLAYS)


def downgrade() -> None:
    op.execute("DROP VIEW visible_listings")
