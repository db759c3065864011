"""Which imports a read may see (G3): every read of rows starts here."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, exists, func, or_, select, tuple_

from glyphd.domain.imports import READABLE_BY_NAME, Kind, Status
from glyphd.store.imports import of_source
from glyphd.store.tables import import_batches
from glyphd.store.types import NO_MOMENT


@dataclass(frozen=True, slots=True)
class VisibleImport:
    """An import whose rows may be read, with what lets a read skip it.

    ``batch_id`` is the batch whose view it is in; ``observed_at`` and ``source_version`` are that batch's.
    """

    id: int
    import_id: str
    count: int
    uncounted_facets: Sequence[str]
    source: str
    batch_id: str
    observed_at: datetime | None
    source_version: int | None

    @property
    def moment(self) -> datetime:
        """When it was observed, or what stands for a moment where none is known."""
        return self.observed_at or NO_MOMENT


def published_imports(
    connection: Connection,
    *,
    source: str | None = None,
    at_most_id: int | None = None,
    price: tuple[float | None, float | None] = (None, None),
    score: tuple[float | None, float | None] = (None, None),
) -> list[VisibleImport]:
    """Return the views of all published batches, as far as they can hold rows in these ranges, newest first."""
    query = _imports().where(in_view(), *_in_range("price", price), *_in_range("score", score))
    if source is not None:
        query = query.where(of_source(source))
    if at_most_id is not None:
        query = query.where(_TABLE.id <= at_most_id)
    return [VisibleImport(*row) for row in connection.execute(query)]


def named_import(connection: Connection, import_id: str, source: str | None = None) -> list[VisibleImport]:
    """Return the import of this id if naming it shows its rows, else nothing."""
    readable = _TABLE.status.in_(READABLE_BY_NAME)
    query = _imports().where(_TABLE.import_id == import_id, readable, _parent_is(*READABLE_BY_NAME))
    if source is not None:
        query = query.where(of_source(source))
    return [VisibleImport(*row) for row in connection.execute(query)]


def current_batches(connection: Connection, *, as_of: datetime | None = None, source: str | None = None) -> list[str]:
    """Return of each source the latest published batch, by observed_at, then source_version.

    ``as_of``: among those that were observed at or before that moment.
    """
    latest = func.row_number().over(
        partition_by=func.coalesce(_TABLE.source, "default"),
        order_by=[_TABLE.observed_at.desc().nulls_last(), _TABLE.source_version.desc().nulls_last(), _TABLE.id.desc()],
    )
    batches = select(_TABLE.import_id, latest.label("rank")).where(_is_published_batch())
    if as_of is not None:
        batches = batches.where(func.coalesce(_TABLE.observed_at, _TABLE.imported_at) <= as_of)
    if source is not None:
        batches = batches.where(of_source(source))
    ranked = batches.subquery()
    return list(connection.execute(select(ranked.c.import_id).where(ranked.c.rank == 1)).scalars())


def market_imports(
    connection: Connection, *, as_of: datetime | None = None, source: str | None = None
) -> list[VisibleImport]:
    """Return the current view, or that as of a moment: of each source the view of its latest batch, newest first."""
    batches = current_batches(connection, as_of=as_of, source=source)
    belongs = or_(_TABLE.import_id.in_(batches), _TABLE.parent_import_id.in_(batches))
    return [VisibleImport(*row) for row in connection.execute(_imports().where(in_view(), belongs))]


def batch_views(
    connection: Connection,
    *,
    source: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> list[VisibleImport]:
    """Return the views of all published batches observed from ``since`` to before ``until``, in order of time.

    The order is observed_at, source_version; the imports of one view come one after the other, the oldest first.
    """
    observed, *_ = place = _place(_BATCH)
    query = _imports().where(in_view()).order_by(None).order_by(*place, _TABLE.id)
    if source is not None:
        query = query.where(of_source(source))
    if since is not None:
        query = query.where(observed >= since)
    if until is not None:
        query = query.where(observed < until)
    return [VisibleImport(*row) for row in connection.execute(query)]


def view_of(connection: Connection, batch_id: str) -> list[VisibleImport]:
    """Return the view of a batch, newest import first: nothing unless it is published."""
    belongs = or_(_TABLE.import_id == batch_id, _TABLE.parent_import_id == batch_id)
    return [VisibleImport(*row) for row in connection.execute(_imports().where(in_view(), belongs))]


def later_batches(connection: Connection, batch_id: str) -> set[str]:
    """Return the published batches of a source that come after this one, by observed_at, then source_version."""
    later = import_batches.alias("later")
    same_source = func.coalesce(later.c.source, "default") == func.coalesce(_BATCH.source, "default")
    comes_later = tuple_(*_place(later.c)) > tuple_(*_place(_BATCH))
    published = and_(later.c.status == Status.PUBLISHED, later.c.kind == Kind.BATCH)
    query = select(later.c.import_id).join(_BATCHES, and_(same_source, comes_later))
    return set(connection.execute(query.where(_BATCH.import_id == batch_id, published)).scalars())


def earlier_batch(connection: Connection, batch_id: str) -> str | None:
    """Return the published batch of a source that comes just before this one, by observed_at, then source_version."""
    earlier = import_batches.alias("earlier")
    same_source = func.coalesce(earlier.c.source, "default") == func.coalesce(_BATCH.source, "default")
    comes_earlier = tuple_(*_place(earlier.c)) < tuple_(*_place(_BATCH))
    published = and_(earlier.c.status == Status.PUBLISHED, earlier.c.kind == Kind.BATCH)
    query = select(earlier.c.import_id).join(_BATCHES, and_(same_source, comes_earlier))
    query = query.where(_BATCH.import_id == batch_id, published)
    return connection.execute(query.order_by(*(each.desc() for each in _place(earlier.c))).limit(1)).scalar()


def standing_for(connection: Connection, batch_id: str) -> str:
    """Return what stands for a published batch: its newest published replay, else itself."""
    replay = _TABLE.kind == Kind.REPLAY
    query = select(_TABLE.import_id).where(_TABLE.parent_import_id == batch_id, replay, in_view())
    return connection.execute(query).scalar() or batch_id


_TABLE = import_batches.c
_BATCHES = import_batches.alias("batch")
_BATCH = _BATCHES.c


def _imports() -> Select[Any]:
    """Select imports as :class:`VisibleImport`, each joined with its batch, newest first."""
    source = func.coalesce(_TABLE.source, "default")
    own = (_TABLE.id, _TABLE.import_id, _TABLE["count"], _TABLE.uncounted_facets, source)
    observed = func.coalesce(_BATCH.observed_at, _BATCH.imported_at)
    batch = _BATCH.import_id == func.coalesce(_TABLE.parent_import_id, _TABLE.import_id)
    origin = import_batches.join(_BATCHES, batch)
    return (
        select(*own, _BATCH.import_id, observed, _BATCH.source_version).select_from(origin).order_by(_TABLE.id.desc())
    )


def _place(batch: Any) -> tuple[ColumnElement[Any], ...]:
    """Return by what a batch has its place in time, among those of its source."""
    return func.coalesce(batch.observed_at, batch.imported_at), func.coalesce(batch.source_version, 0), batch.id


def _is_published_batch() -> ColumnElement[bool]:
    return and_(_TABLE.status == Status.PUBLISHED, _TABLE.kind == Kind.BATCH)


def in_view() -> ColumnElement[bool]:
    """The condition of being seen: published, of a published batch, and no later replay stands in its place.

    The same is said once more in the view `visible_listings`, for those who read by SQL.
    """
    replay = import_batches.alias("replay")
    of_batch = replay.c.parent_import_id == _TABLE.import_id
    newer = and_(replay.c.parent_import_id == _TABLE.parent_import_id, replay.c.id > _TABLE.id)
    published_replay = and_(replay.c.kind == Kind.REPLAY, replay.c.status == Status.PUBLISHED)
    superseded = or_(
        and_(_TABLE.kind == Kind.BATCH, exists().where(of_batch, published_replay)),
        and_(_TABLE.kind == Kind.REPLAY, exists().where(newer, published_replay)),
    )
    return and_(_TABLE.status == Status.PUBLISHED, ~superseded, _parent_is(Status.PUBLISHED))


def _parent_is(*statuses: Status) -> ColumnElement[bool]:
    parent = import_batches.alias("parent")
    stands = exists().where(parent.c.import_id == _TABLE.parent_import_id, parent.c.status.in_(statuses))
    return or_(_TABLE.parent_import_id.is_(None), stands)


def _in_range(figure: str, bounds: tuple[float | None, float | None]) -> list[ColumnElement[bool]]:
    low, high = bounds
    least, most = import_batches.c[f"min_{figure}"], import_batches.c[f"max_{figure}"]
    conditions: list[ColumnElement[bool]] = []
    if low is not None:
        conditions.append(or_(most.is_(None), most >= low))
    if high is not None:
        conditions.append(or_(least.is_(None), least <= high))
    return conditions
