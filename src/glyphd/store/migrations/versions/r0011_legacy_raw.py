"""Legacy raw: what a row from the field holds that its column cannot."""

from alembic import op

from glyphd.store.migrations.steps import steps_of

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    steps_of(op.get_bind()).add_legacy_raw(op.get_bind())


def downgrade() -> None:
    steps_of(op.get_bind()).drop_legacy_raw(op.get_bind())
