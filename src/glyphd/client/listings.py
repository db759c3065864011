"""Listings as they are answered: mappings with the members of `GET /api/listings`, moments being moments."""

from datetime import datetime
from typing import Any, TypedDict, cast

from glyphd.domain.listing import FIELDS, FieldType

PYTHON_TYPES: dict[FieldType, type] = {
    FieldType.TEXT: str,
    FieldType.URL: str,
    FieldType.INTEGER: int,
    FieldType.NUMBER: float,
    FieldType.BOOLEAN: bool,
    FieldType.TIMESTAMP: datetime,
}

COLUMNS: dict[str, type] = {
    "id": int,
    "import_id": str,
    "import_index": int,
    "listing_key": str,
    "created_at": datetime,
    **{field.name: PYTHON_TYPES[field.type] for field in FIELDS},
}
"""What a listing has; any of it may be missing in one that an older server answers, and any field may be None."""

Listing: Any = cast(Any, TypedDict)("Listing", {name: kind | None for name, kind in COLUMNS.items()}, total=False)
