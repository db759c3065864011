"""Provenance: every row carries import_id and import_index, and no import can be deleted under its rows."""

from alembic import op

from glyphd.store.migrations.steps import steps_of

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    steps_of(op.get_bind()).attach_rows(op.get_bind())


def downgrade() -> None:
    steps_of(op.get_bind()).detach_rows(op.get_bind())
