"""What the migrations of both engines go by: which imports an older reader may see, and how legacy rows are read."""

from glyphd.domain.identity import hash_identity, identity_text
from glyphd.domain.listing import NULL_TOKENS

SYNTHETIC = "00000000-0000-7000-8000-000000000000"
"""The import of rows that were found without one: a UUIDv7 of the year 1970, so that it sorts as the oldest too."""

ROW_TABLES = ("scored_listings", "listings", "quantized_listings")

VISIBLE = (
    "SELECT b.import_id FROM import_batches b LEFT JOIN import_batches parent ON parent.import_id = b.parent_import_id"
    " WHERE b.status = 'published' AND (b.parent_import_id IS NULL OR parent.status = 'published')"
)

PREFIX = "_glyphd_parked_"
"""What the older schema has no place for waits in tables of this name, which refer to nothing, and returns."""

OF_AN_IMPORT_THAT_IS_THERE = "WHERE p.import_id IN (SELECT import_id FROM import_batches)"

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
