"""Which imports a read may see (G3): every read of rows starts here."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, func, or_, select

from glyphd.domain.imports import READABLE_BY_NAME, Kind, Status
from glyphd.store.imports import of_source
from glyphd.store.tables import import_batches


@dataclass(frozen=True, slots=True)
class VisibleImport:
    """An import whose rows may be read, with what lets a read skip it. Prices in USD."""

    id: int
    import_id: str
    count: int
    uncounted_facets: Sequence[str]


def published_imports(
    connection: Connection,
    *,
    source: str | None = None,
    at_most_id: int | None = None,
    price: tuple[float | None, float | None] = (None, None),
    score: tuple[float | None, float | None] = (None, None),
) -> list[VisibleImport]:
    """Return the published imports that can hold rows in these ranges, newest first."""
    table = import_batches.c
    query = _visible().where(table.status == Status.PUBLISHED, *_in_range("price", price), *_in_range("score", score))
    if source is not None:
        query = query.where(of_source(source))
    if at_most_id is not None:
        query = query.where(table.id <= at_most_id)
    return [VisibleImport(*row) for row in connection.execute(query)]


def named_import(connection: Connection, import_id: str, source: str | None = None) -> list[VisibleImport]:
    """Return the import of this id if naming it shows its rows, else nothing."""
    table = import_batches.c
    query = _visible().where(table.import_id == import_id, table.status.in_(READABLE_BY_NAME))
    if source is not None:
        query = query.where(of_source(source))
    return [VisibleImport(*row) for row in connection.execute(query)]


def current_imports(connection: Connection) -> list[VisibleImport]:
    """Return the current view: of each source the latest published batch, by observed_at, then source_version."""
    table = import_batches.c
    latest = func.row_number().over(
        partition_by=func.coalesce(table.source, "default"),
        order_by=[table.observed_at.desc().nulls_last(), table.source_version.desc().nulls_last(), table.id.desc()],
    )
    ranked = (
        select(table.id, latest.label("rank"))
        .where(table.status == Status.PUBLISHED, table.kind == Kind.BATCH)
        .subquery()
    )
    query = _visible().join(ranked, ranked.c.id == table.id).where(ranked.c.rank == 1)
    return [VisibleImport(*row) for row in connection.execute(query)]


def _visible() -> Select[Any]:
    table = import_batches.c
    return select(table.id, table.import_id, table["count"], table.uncounted_facets).order_by(table.id.desc())


def _in_range(figure: str, bounds: tuple[float | None, float | None]) -> list[ColumnElement[bool]]:
    low, high = bounds
    least, most = import_batches.c[f"min_{figure}"], import_batches.c[f"max_{figure}"]
    conditions: list[ColumnElement[bool]] = []
    if low is not None:
        conditions.append(or_(most.is_(None), most >= low))
    if high is not None:
        conditions.append(or_(least.is_(None), least <= high))
    return conditions
