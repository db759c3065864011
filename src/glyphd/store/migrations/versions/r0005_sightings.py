"""Sightings: the thin, sorted rows that diffs, histories and market views read."""

import sqlalchemy as sa
from alembic import op

from glyphd.store.migrations.baseline import NUMBER
from glyphd.store.migrations.steps import steps_of
from glyphd.store.types import PlainText

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "sightings",
        sa.Column("import_id", PlainText, nullable=False),
        sa.Column("canonical_model", PlainText, nullable=False),
        sa.Column("listing_key", sa.BigInteger, nullable=False),
        sa.Column("import_index", sa.Integer, nullable=False),
        sa.Column("price", NUMBER, nullable=False),
        sa.Column("score", NUMBER, nullable=False),
        sa.PrimaryKeyConstraint("import_id", "canonical_model", "listing_key", "import_index"),
        sqlite_with_rowid=False,
    )
    steps_of(op.get_bind()).fill_sightings(op.get_bind())


def downgrade() -> None:
    steps_of(op.get_bind()).park_derived(op.get_bind(), "sightings")
