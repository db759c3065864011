"""What the migrations of both engines go by: which imports an older reader may see, and how legacy rows are read."""

from collections.abc import Iterable

from glyphd.domain.identity import hash_identity, identity_text
from glyphd.domain.listing import NULL_TOKENS

SYNTHETIC = "00000000-0000-7000-8000-000000000000"
"""The import of rows that were found without one: a UUIDv7 of the year 1970, so that it sorts as the oldest too."""

ROW_TABLES = ("scored_listings", "listings", "quantized_listings")

VISIBLE = (
    "SELECT b.import_id FROM import_batches b LEFT JOIN import_batches parent ON parent.import_id = b.parent_import_id"
    " LEFT JOIN (SELECT parent_import_id, max(id) AS id FROM import_batches WHERE kind = 'replay'"
    " AND status = 'published' AND parent_import_id IS NOT NULL GROUP BY parent_import_id) newest"
    " ON newest.parent_import_id = COALESCE(b.parent_import_id, b.import_id)"
    " WHERE b.status = 'published' AND (b.parent_import_id IS NULL OR parent.status = 'published')"
    " AND (b.kind = 'amendment' OR newest.id IS NULL OR newest.id = b.id)"
)
"""The imports that are seen: the newest published replay stands for its batch, amendments add to it."""

PREFIX = "_glyphd_parked_"
"""What the older schema has no place for waits in tables of this name, which refer to nothing, and returns."""

OF_AN_IMPORT_THAT_IS_THERE = "WHERE p.import_id IN (SELECT import_id FROM import_batches)"


def ledger_values(names: Iterable[str]) -> str:
    """Return the query for what some columns of the ledger hold, to be parked."""
    return f"SELECT import_id, {', '.join(names)} FROM import_batches"


def return_ledger_values(name: str, names: Iterable[str]) -> str:
    """Return the statement that puts what is parked under a name back into the ledger."""
    values = ", ".join(f"{column} = p.{column}" for column in names)
    return f"UPDATE import_batches SET {values} FROM {PREFIX}{name} p WHERE p.import_id = import_batches.import_id"


FACETS = ("region", "seller", "condition", "source_type")
FACET_LIMIT = 1000

IDENTITY = ("canonical_model", "source_url", "seller", "region", "condition")
"""The columns that a listing_key is made of."""


def listing_key(model: str | None, *rest: str | None) -> int:
    """Return the listing_key of a legacy row (`IDENTITY`) as its next crawl will have it: trimmed, `N/A` being nothing.

    An empty text and NULL are the same.
    """
    values = ("" if value is None else value.strip() for value in rest)
    url, seller, region, condition = (None if text.lower() in NULL_TOKENS else text for text in values)
    return hash_identity(identity_text(model or "", url, seller, region, condition))
