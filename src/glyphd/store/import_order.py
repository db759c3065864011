"""The orders in which imports are told, walked by keyset: a page begins behind the place where the last one ended."""

import operator
from collections.abc import Callable
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, or_

from glyphd.domain.clock import microseconds, moment_at
from glyphd.domain.imports import Import, ImportPlace, ImportSort
from glyphd.store.tables import import_batches
from glyphd.store.types import NO_MOMENT

_RECEIPT = "imported_at"
"""Its order is that of the ledger's numbers: clocks step back, and databases in the field hold odd moments."""


def place_of(entry: Import, sort: ImportSort) -> ImportPlace:
    """Return where an import stands in an order."""
    if sort.column == _RECEIPT:
        return ImportPlace(entry.id, entry.id)
    value = getattr(entry, sort.column)
    return ImportPlace(entry.id, value if isinstance(value, int) else microseconds(value or NO_MOMENT))


def in_order(query: Select[Any], sort: ImportSort, after: ImportPlace | None) -> Select[Any]:
    """Put a query of imports in an order, from behind a place on."""
    keys = _sort_keys(sort)
    query = query.order_by(*(key.desc() if sort.descends else key.asc() for key in keys))
    return query if after is None else query.where(_behind(after, sort, *keys))


def _sort_keys(sort: ImportSort) -> list[ColumnElement[Any]]:
    table = import_batches.c
    if sort.column == _RECEIPT:
        return [table.id]
    key = table[sort.column]
    return [func.coalesce(key, NO_MOMENT) if key is table.observed_at else key, table.id]


def _behind(place: ImportPlace, sort: ImportSort, *keys: ColumnElement[Any]) -> ColumnElement[bool]:
    passed: Callable[[Any, Any], ColumnElement[bool]] = operator.lt if sort.descends else operator.gt
    number = passed(import_batches.c.id, place.id)
    if len(keys) == 1:
        return number
    value = moment_at(place.key) if sort.column == "observed_at" else place.key
    return or_(passed(keys[0], value), and_(keys[0] == value, number))
