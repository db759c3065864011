"""Rejections: every submitted record that was not stored, its bytes and why."""

import sqlalchemy as sa
from alembic import op

from glyphd.store.migrations.rules import OF_AN_IMPORT_THAT_IS_THERE
from glyphd.store.migrations.steps import steps_of
from glyphd.store.types import PlainText, RowNumber

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "import_rejections",
        sa.Column("id", RowNumber, sa.Identity(), nullable=False),
        sa.Column("import_id", PlainText, nullable=False),
        sa.Column("import_index", sa.Integer, nullable=False),
        sa.Column("raw", sa.LargeBinary, nullable=False),
        sa.Column("issues", PlainText, nullable=False),
        *steps_of(op.get_bind()).import_key("import_rejections"),
    )
    steps_of(op.get_bind()).guard_imports(op.get_bind(), "import_rejections")
    steps_of(op.get_bind()).return_table(op.get_bind(), "import_rejections", OF_AN_IMPORT_THAT_IS_THERE)


def downgrade() -> None:
    steps_of(op.get_bind()).release_imports(op.get_bind(), "import_rejections")
    steps_of(op.get_bind()).park_table(op.get_bind(), "import_rejections")
