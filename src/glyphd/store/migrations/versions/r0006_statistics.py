"""Statistics: figures per import and model, and facets that tell which imports a filter cannot match."""

import sqlalchemy as sa
from alembic import op

from glyphd.store.migrations import derived
from glyphd.store.migrations.baseline import NUMBER

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_FIGURES = (
    *("min_price", "p25_price", "median_price", "p75_price", "max_price", "avg_price"),
    *("min_score", "max_score", "avg_score"),
)


def upgrade() -> None:
    op.create_table(
        "import_model_stats",
        sa.Column("import_id", sa.Text, nullable=False),
        sa.Column("canonical_model", sa.Text, nullable=False),
        sa.Column("listing_count", sa.Integer, nullable=False),
        *(sa.Column(name, NUMBER, nullable=False) for name in _FIGURES),
        sa.PrimaryKeyConstraint("import_id", "canonical_model"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "import_facets",
        sa.Column("import_id", sa.Text, nullable=False),
        sa.Column("field", sa.Text, nullable=False),
        sa.Column("value", sa.Text, nullable=False),
        sa.Column("listing_count", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("import_id", "field", "value"),
        sqlite_with_rowid=False,
    )
    derived.fill_statistics(op.get_bind())


def downgrade() -> None:
    derived.park(op.get_bind(), "import_facets", "import_model_stats")
