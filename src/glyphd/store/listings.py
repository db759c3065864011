"""Reading rows of one import by an index prefix; which imports are walked is the service's business."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import polars as pl
import pyarrow as pa
from sqlalchemy import ColumnElement, Connection, Select, and_, func, literal, or_, select, type_coerce
from sqlalchemy.types import NullType

from glyphd.domain.identity import hash_identity, identity_text, listing_key_hex
from glyphd.domain.listing import FIELDS, FieldType
from glyphd.store.functions import to_milliseconds
from glyphd.store.postgresql import bitmaps_allowed
from glyphd.store.reading_processes import Query
from glyphd.store.tables import scored_listings, sightings
from glyphd.store.typed_rows import read_from_connection, typed, typed_query
from glyphd.store.types import UtcTimestamp
from glyphd.store.values import shown, shown_column, unshown

_SEARCHED = ("canonical_model", "seller", "notes", "region", "source_url")


@dataclass(frozen=True, slots=True)
class RowFilters:
    """What a row must be. ``models`` are exact names; prices USD; ``after`` inclusive and ``before`` exclusive."""

    models: Sequence[str] | None = None
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

    @property
    def by_moment(self) -> bool:
        """Whether rows are chosen by when they were seen."""
        return self.after is not None or self.before is not None

    @property
    def are_empty(self) -> bool:
        """Whether every row matches."""
        return self == RowFilters()


@dataclass(frozen=True, slots=True)
class Stretch:
    """Rows of an import: those after an index, up to another one, that match.

    It has two ends, not a limit: PostgreSQL was seen to read and sort all the rest of 1M rows for each 10 000 of them,
    as long as it has no statistics of the table.
    """

    import_id: str
    after_index: int
    to_index: int
    filters: RowFilters = RowFilters()

    def conditions(self) -> list[ColumnElement[bool]]:
        """Return the conditions on rows."""
        table, index = scored_listings.c, sightings.c.import_index
        within = [table.import_id == self.import_id, table.import_index.between(self.after_index + 1, self.to_index)]
        if self.filters.models is None:
            return [*within, *_conditions(self.filters)]
        chosen = _matching(self.import_id, self.filters, index)
        chosen = chosen.where(index.between(self.after_index + 1, self.to_index))
        return [*within, table.import_index.in_(chosen)]


def read_rows(
    connection: Connection, import_id: str, filters: RowFilters, *, after_index: int = 0, limit: int, offset: int = 0
) -> list[dict[str, Any]]:
    """Return rows of one import by import_index, as the API shows them."""
    table = scored_listings.c
    query = _shown_rows(import_id).order_by(table.import_index)
    if filters.models is None:
        query = query.where(*_conditions(filters), table.import_index > after_index).limit(limit).offset(offset)
    else:
        index = sightings.c.import_index
        chosen = _matching(import_id, filters, index).where(index > after_index)
        chosen = chosen.order_by(index).limit(limit).offset(offset)
        query = query.where(table.import_index.in_(list(connection.execute(chosen).scalars())))
    return [_listing(dict(row)) for row in connection.execute(query).mappings()]


def find_listing(connection: Connection, import_id: str, import_index: int) -> dict[str, Any] | None:
    """Return one row of an import, as the API shows it."""
    found = read_rows(connection, import_id, RowFilters(), after_index=import_index - 1, limit=1)
    return next((row for row in found if row["import_index"] == import_index), None)


def find_row_number(connection: Connection, row_number: int) -> tuple[str, int] | None:
    """Return import_id and import_index of a row by its number (`id`)."""
    table = scored_listings.c
    query = select(table.import_id, table.import_index).where(table.id == row_number)
    with bitmaps_allowed(connection):
        row = connection.execute(query).first()
    return None if row is None else (row.import_id, row.import_index)


def rows_at(connection: Connection, import_id: str, indexes: Sequence[int]) -> dict[int, dict[str, Any]]:
    """Return the rows of one import at these positions, by import_index, as the API shows them."""
    found = connection.execute(_shown_rows(import_id).where(scored_listings.c.import_index.in_(indexes)))
    return {row["import_index"]: _listing(dict(row)) for row in found.mappings()}


def _shown_rows(import_id: str) -> Select[*tuple[Any, ...]]:
    columns = [type_coerce(scored_listings.c[name], NullType).label(name) for name in _READ]
    return select(*columns).where(scored_listings.c.import_id == import_id)


def count_rows(connection: Connection, import_id: str, filters: RowFilters) -> int:
    """Return how many rows of one import match."""
    return int(connection.execute(_matching(import_id, filters, func.count())).scalar_one())


def example_row(connection: Connection, import_id: str, model: str) -> dict[str, Any] | None:
    """Return one row of a model in an import: the first by listing_key, so that it is always the same one."""
    table = sightings.c
    query = (
        select(table.import_index)
        .where(table.import_id == import_id, table.canonical_model == model)
        .order_by(table.listing_key, table.import_index)
        .limit(1)
    )
    index = connection.execute(query).scalar()
    if index is None:
        return None
    return read_rows(connection, import_id, RowFilters(), after_index=index - 1, limit=1)[0]


_KINDS = {**{field.name: field.type for field in FIELDS}, "created_at": FieldType.TIMESTAMP}
_READ = ("id", "import_id", "import_index", *_KINDS, "legacy_raw")


def _matching(import_id: str, filters: RowFilters, what: ColumnElement[Any]) -> Select[Any]:
    """Select over the rows of an import that match; by model through the sightings, which are sorted by model."""
    rows, seen = scored_listings.c, sightings.c
    if filters.models is None:
        return select(what).select_from(scored_listings).where(rows.import_id == import_id, *_conditions(filters))
    same = and_(rows.import_id == seen.import_id, rows.import_index == seen.import_index)
    origin = sightings.join(scored_listings, same) if _needs_row(filters) else sightings
    named = and_(seen.import_id == import_id, seen.canonical_model.in_(filters.models))
    return select(what).select_from(origin).where(named, *_conditions(filters))


def _needs_row(filters: RowFilters) -> bool:
    return any((filters.region, filters.seller, filters.condition, filters.after, filters.before, filters.q))


def _conditions(filters: RowFilters) -> list[ColumnElement[bool]]:
    rows = scored_listings.c
    figures: Any = rows if filters.models is None else sightings.c
    conditions: list[ColumnElement[bool]] = []
    for bound, column, below in (
        (filters.min_price, figures.price, False),
        (filters.max_price, figures.price, True),
        (filters.min_score, figures.score, False),
        (filters.max_score, figures.score, True),
    ):
        if bound is not None:
            conditions.append(column <= bound if below else column >= bound)
    for value, column in (
        (filters.region, rows.region),
        (filters.seller, rows.seller),
        (filters.condition, rows.condition),
    ):
        if value is not None:
            conditions.append(column == value)
    return [*conditions, *_seen_conditions(filters), *_search_conditions(filters)]


def _seen_conditions(filters: RowFilters) -> list[ColumnElement[bool]]:
    """Compare moments to the millisecond: that is how fine SQLite reads them."""
    seen = to_milliseconds(scored_listings.c.seen_at)
    conditions: list[ColumnElement[bool]] = []
    if filters.after is not None:
        conditions.append(seen >= to_milliseconds(literal(filters.after, UtcTimestamp)))
    if filters.before is not None:
        conditions.append(seen < to_milliseconds(literal(filters.before, UtcTimestamp)))
    return conditions


def _search_conditions(filters: RowFilters) -> list[ColumnElement[bool]]:
    if filters.q is None:
        return []
    return [or_(*(scored_listings.c[name].icontains(filters.q, autoescape=True) for name in _SEARCHED))]


def read_values(connection: Connection, stretch: Stretch, names: Sequence[str]) -> list[Sequence[Any]]:
    """Return rows as columns: import_index, then the fields of these names, as readers are shown them.

    A row costs a third of what it costs in :func:`read_rows`.
    """
    table = scored_listings.c
    columns = [type_coerce(table[name], NullType) for name in ("import_index", *names, "legacy_raw")]
    found = connection.execute(select(*columns).where(*stretch.conditions()).order_by(table.import_index)).all()
    if not found:
        return [[] for _ in columns[:-1]]
    indexes, *stored, legacy = zip(*found, strict=True)
    values = [_shown_values(name, column) for name, column in zip(names, stored, strict=True)]
    for row, raw in enumerate(legacy):
        for name in unshown(_KINDS, raw) if raw is not None else ():
            if name in names:
                column = list(values[names.index(name)])
                column[row] = None
                values[names.index(name)] = column
    return [indexes, *values]


def read_typed(connection: Connection, stretch: Stretch, names: Sequence[str]) -> pl.DataFrame | None:
    """Return rows of an import that this service made as columns of their types; None on SQLite, which has none."""
    if connection.dialect.name == "sqlite":
        return None
    return read_from_connection(connection, _kinds(names), stretch.conditions())


def typed_queries(stretches: Sequence[Stretch], names: Sequence[str], empty: Collection[str]) -> Iterator[Query]:
    """Yield the query for each stretch that processes have to be asked.

    ``empty`` are columns that should be: reading takes less time where they are.
    """
    kinds = _kinds(names)
    return (typed_query(kinds, each.conditions(), each.to_index - each.after_index, empty) for each in stretches)


def typed_answer(answer: pa.Table | None, names: Sequence[str], empty: Collection[str]) -> pl.DataFrame | None:
    """Return what they answered as :func:`read_typed` does; None where the rows have to be read value by value."""
    return typed(answer, _kinds(names), empty)


def _kinds(names: Sequence[str]) -> Mapping[str, FieldType]:
    return {name: _KINDS.get(name, FieldType.INTEGER) for name in ("import_index", *names)}


def _shown_values(name: str, column: Sequence[Any]) -> Sequence[Any]:
    return shown_column(_KINDS[name], column) if name in _KINDS else column


def last_index(connection: Connection, import_id: str) -> int:
    """Return the import_index of the last row of an import; 0 if it has none."""
    query = select(func.max(scored_listings.c.import_index)).where(scored_listings.c.import_id == import_id)
    return connection.execute(query).scalar() or 0


def _listing(row: dict[str, Any]) -> dict[str, Any]:
    """Shape a stored row as the API shows it; a legacy value that is not of its field's type is shown as null."""
    listing = {name: row[name] for name in ("id", "import_id", "import_index")}
    listing |= {name: shown(kind, row[name]) for name, kind in _KINDS.items()}
    listing |= dict.fromkeys(unshown(_KINDS, row["legacy_raw"]))
    identity = identity_text(
        str(listing["canonical_model"]),
        listing["source_url"],
        listing["seller"],
        listing["region"],
        listing["condition"],
    )
    created_at = listing.pop("created_at")
    return {**listing, "listing_key": listing_key_hex(hash_identity(identity)), "created_at": created_at}
