"""Import-major layout: the single-column indexes go; rows are reached by their import."""

from alembic import op

from glyphd.store.migrations import layout

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    layout.drop_single_column_indexes(op.get_bind())


def downgrade() -> None:
    layout.restore_indexes(op.get_bind())
