"""Rows are found by their number (`id`): on PostgreSQL through a BRIN index, on SQLite they are kept by it anyway."""

from alembic import op

from glyphd.store.migrations.steps import steps_of

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    steps_of(op.get_bind()).index_row_numbers(op.get_bind())


def downgrade() -> None:
    steps_of(op.get_bind()).forget_row_numbers(op.get_bind())
