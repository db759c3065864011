"""Provenance: every row carries import_id and import_index, and no import can be deleted under its rows."""

from alembic import op

from glyphd.store.migrations import rows_down, rows_up

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    rows_up.attach(op.get_bind())


def downgrade() -> None:
    rows_down.detach(op.get_bind())
