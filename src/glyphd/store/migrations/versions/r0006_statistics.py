"""Statistics: figures per import and model, and facets that tell which imports a filter cannot match."""

import sqlalchemy as sa
from alembic import op

from glyphd.store.migrations.baseline import NUMBER
from glyphd.store.migrations.steps import steps_of
from glyphd.store.types import PlainText

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
        sa.Column("import_id", PlainText, nullable=False),
        sa.Column("canonical_model", PlainText, nullable=False),
        sa.Column("listing_count", sa.Integer, nullable=False),
        *(sa.Column(name, NUMBER, nullable=False) for name in _FIGURES),
        sa.PrimaryKeyConstraint("import_id", "canonical_model"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "import_facets",
        sa.Column("import_id", PlainText, nullable=False),
        sa.Column("field", PlainText, nullable=False),
        sa.Column("value", PlainText, nullable=False),
        sa.Column("listing_count", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("import_id", "field", "value"),
        sqlite_with_rowid=False,
    )
    steps_of(op.get_bind()).fill_statistics(op.get_bind())
    steps_of(op.get_bind()).guard_models(op.get_bind())


def downgrade() -> None:
    steps_of(op.get_bind()).release_models(op.get_bind())
    steps_of(op.get_bind()).park_derived(op.get_bind(), "import_facets", "import_model_stats")
