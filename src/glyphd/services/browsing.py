"""Browse listings: the visible imports are chosen first, then read one after the other, newest first, each by an index
prefix, until the page is full. Measured on 10 imports of 1M rows: 0.3 ms for a first page, against 640 ms as one join.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from glyphd.domain.listing import model_key
from glyphd.services.context import Context
from glyphd.store import imports, listings, statistics, visibility
from glyphd.store.listings import RowFilters
from glyphd.store.visibility import VisibleImport


@dataclass(frozen=True, slots=True)
class ListingQuery:
    """What is asked of the listings. ``model`` ignores case, spaces, `-` and `_`; see :class:`RowFilters` for units.

    ``current`` narrows it to the current view, ``as_of`` to that of a moment.
    """

    import_id: str | None = None
    source: str | None = None
    model: str | None = None
    min_price: float | None = None
    max_price: float | None = None
    min_score: float | None = None
    max_score: float | None = None
    region: str | None = None
    seller: str | None = None
    condition: str | None = None
    after: datetime | None = None
    before: datetime | None = None
    q: str | None = None
    current: bool = False
    as_of: datetime | None = None


@dataclass(frozen=True, slots=True)
class Position:
    """The last listing of a page: ledger id of its import, and its import_index."""

    ledger_id: int
    import_index: int


@dataclass(frozen=True, slots=True)
class ListingPage:
    """One page of listings, newest import first, then by import_index; ``last`` is None on the last page."""

    items: list[dict[str, Any]]
    last: Position | None


def browse_listings(
    context: Context, query: ListingQuery, *, limit: int, offset: int = 0, after: Position | None = None
) -> ListingPage:
    """Return one page of listings, all of one state of the database. Raises ImportNotFound."""
    with context.database.reading() as connection:
        filters = row_filters(connection, query)
        if filters.models == []:
            return ListingPage([], None)
        walk = _Walk(connection, filters, limit + 1, offset)
        for entry in visible_imports(connection, query, after):
            walk.visit(entry, after.import_index if after and entry.id == after.ledger_id else 0)
            if len(walk.found) > limit:
                break
    page = walk.found[:limit]
    more = len(walk.found) > limit
    return ListingPage([row for _, row in page], _position(page) if more else None)


def _position(page: list[tuple[int, dict[str, Any]]]) -> Position:
    ledger_id, row = page[-1]
    return Position(ledger_id, row["import_index"])


@dataclass(slots=True)
class _Walk:
    """Collects rows import by import; an offset skips whole imports by their counts."""

    connection: Connection
    filters: RowFilters
    wanted: int
    offset: int

    found: list[tuple[int, dict[str, Any]]] = field(default_factory=list)

    def visit(self, entry: VisibleImport, after_index: int) -> None:
        if not may_match(self.connection, entry, self.filters):
            return
        if self.offset:
            count = self._count(entry)
            if count <= self.offset:
                self.offset -= count
                return
        rows = listings.read_rows(
            self.connection,
            entry.import_id,
            self.filters,
            after_index=after_index,
            limit=self.wanted - len(self.found),
            offset=self.offset,
        )
        self.offset = 0
        self.found.extend((entry.id, row) for row in rows)

    def _count(self, entry: VisibleImport) -> int:
        if self.filters.are_empty:
            return entry.count
        return listings.count_rows(self.connection, entry.import_id, self.filters)


def row_filters(connection: Connection, query: ListingQuery) -> RowFilters:
    """Return what a row must be for a query; no model of its name is an empty list of ``models``."""
    models = None if query.model is None else statistics.models_matching(connection, model_key(query.model))
    return RowFilters(
        models=models,
        min_price=query.min_price,
        max_price=query.max_price,
        min_score=query.min_score,
        max_score=query.max_score,
        region=query.region,
        seller=query.seller,
        condition=query.condition,
        after=query.after,
        before=query.before,
        q=query.q,
    )


def visible_imports(connection: Connection, query: ListingQuery, after: Position | None) -> list[VisibleImport]:
    """Return the imports whose rows a query may find, newest first, from a position on. Raises ImportNotFound."""
    if query.import_id is not None:
        imports.find_import(connection, query.import_id)
        return visibility.named_import(connection, query.import_id, query.source)
    if query.current or query.as_of:
        found = visibility.market_imports(connection, as_of=query.as_of, source=query.source)
        return [entry for entry in found if after is None or entry.id <= after.ledger_id]
    return visibility.published_imports(
        connection,
        source=query.source,
        at_most_id=after.ledger_id if after else None,
        price=(query.min_price, query.max_price),
        score=(query.min_score, query.max_score),
    )


def may_match(connection: Connection, entry: VisibleImport, filters: RowFilters) -> bool:
    """Tell from the figures of an import whether reading its rows can find anything."""
    if filters.models is not None and not statistics.has_model(connection, entry.import_id, filters.models):
        return False
    facets = {"region": filters.region, "seller": filters.seller, "condition": filters.condition}
    return all(
        statistics.has_facet(connection, entry.import_id, name, value)
        for name, value in facets.items()
        if value is not None and name not in entry.uncounted_facets
    )
