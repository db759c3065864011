"""Import-major layout: the single-column indexes go; rows are reached by their import."""

from alembic import op

from glyphd.store.migrations.steps import steps_of

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    steps_of(op.get_bind()).key_by_import(op.get_bind())


def downgrade() -> None:
    steps_of(op.get_bind()).restore_layout(op.get_bind())
