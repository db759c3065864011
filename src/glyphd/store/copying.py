"""Moving what a database holds to another one, import by import (`glyphd copy`).

Until an import has been copied its place in the target's ledger is kept by a row that nobody takes up or shows rows of:
models refer to imports, and what is received there meanwhile must not take their numbers.
"""

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import polars as pl
from sqlalchemy import (
    URL,
    ColumnElement,
    Connection,
    Table,
    column,
    func,
    inspect,
    make_url,
    select,
    type_coerce,
    update,
)
from sqlalchemy.exc import ArgumentError
from sqlalchemy.types import NullType

from glyphd.domain.imports import Status
from glyphd.errors import CopyDiffers, CopyRefused, StoreUnavailable
from glyphd.store.converting import LEGACY, Converter, rows_of
from glyphd.store.database import Database
from glyphd.store.tables import (
    artifacts,
    idempotency_keys,
    import_artifacts,
    import_batches,
    import_events,
    import_facets,
    import_model_stats,
    import_rejections,
    listings,
    metadata,
    models,
    quantized_listings,
    row_key,
    schema_version,
    scored_listings,
    sightings,
)
from glyphd.store.unit_of_work import UnitOfWork
from glyphd.store.values import is_plain

Frames = Iterator[pl.DataFrame]

BULK = (scored_listings, listings, quantized_listings, import_rejections, sightings, import_model_stats, import_facets)
"""What an import has many of, in an order that references allow."""

COPIED = (import_batches, models, *BULK, import_events, artifacts, import_artifacts, idempotency_keys)
NOT_COPIED = (schema_version,)
"""What an earlier tool noted of its own versions; a target has its own."""

ROWS_PER_CHUNK = 10_000
_REJECTIONS_PER_CHUNK = 100  # a record has up to 4 MiB
_PLACE_KEPT = "glyphd copy: not yet copied"  # as the worker of a purged import, which never has one waiting
_OURS = ("sqlite_", "alembic_version", "_glyphd_")


@dataclass(frozen=True, slots=True)
class Place:
    """An import in a ledger. ``kept``: its place is kept, and nothing of it has been copied."""

    id: int
    import_id: str
    status: Status
    kept: bool


def require_there(url: URL | str) -> None:
    """Refuse a SQLite file that is not there: opening it would make it. Raises StoreUnavailable."""
    try:
        found = make_url(url)
    except ArgumentError as exc:
        raise StoreUnavailable("What is to be copied is not named by the URL of a database.") from exc
    if found.get_backend_name() == "sqlite" and not Path(found.database or "").is_file():
        raise StoreUnavailable(f"There is no file {found.database}.")


def are_same(one: Database, other: Database) -> bool:
    """Tell whether two URLs name the same database."""
    if {one.url.get_backend_name(), other.url.get_backend_name()} == {"sqlite"}:
        return Path(one.url.database or "").resolve() == Path(other.url.database or "").resolve()
    return one.url == other.url


def ledger(connection: Connection) -> list[Place]:
    """Return every import, in order of receipt; read verbatim. Raises CopyRefused for an id that is not text."""
    table = import_batches.c
    columns = [type_coerce(each, NullType) for each in (table.id, table.import_id, table.status, table.worker)]
    places = []
    for row in connection.execute(select(*columns).order_by(table.id)):
        number, import_id, status, worker = tuple(row)
        if not isinstance(import_id, str) or not is_plain(import_id):
            raise CopyRefused(f"The id of the import {number} in the ledger, {import_id!r}, is not text: rename it.")
        kept = status == Status.PURGED and worker == _PLACE_KEPT
        places.append(Place(number, import_id, Status(status), kept))
    return places


def under_lease(connection: Connection, now: datetime, lease: timedelta) -> list[str]:
    """Return the imports that a worker holds; a lease that ends later than any granted now could does not count."""
    table = import_batches.c
    query = select(table.import_id, table.lease_expires_at).where(table.status == Status.RUNNING).order_by(table.id)
    return [import_id for import_id, end in connection.execute(query) if end and now <= end <= now + 2 * lease]


def left_behind(connection: Connection) -> list[str]:
    """Return the tables and views of a source that are not glyphd's, and what is parked of other schema revisions."""
    inspector = inspect(connection)
    ours = {*metadata.tables, "visible_listings"}
    parked = [name for name in inspector.get_table_names() if name.startswith("_glyphd_parked_")]
    found = [*inspector.get_table_names(), *inspector.get_view_names()]
    return sorted([*parked, *(name for name in found if name not in ours and not name.startswith(_OURS))])


def make_converters(connection: Connection) -> dict[str, Converter]:
    """Return a converter for each table, with the columns of the source that glyphd does not declare.

    Raises CopyRefused for such a column where there is no `legacy_raw` to take it.
    """
    inspector = inspect(connection)
    made = {}
    for table in COPIED:
        declared = {each.name.lower() for each in table.c}
        unknown = [each["name"] for each in inspector.get_columns(table.name) if each["name"].lower() not in declared]
        if unknown and LEGACY not in table.c:
            raise CopyRefused(f"The table {table.name} has columns of another's: {', '.join(unknown)}.")
        made[table.name] = Converter(table, unknown)
    return made


def read_frames(connection: Connection, converter: Converter, table: Table, *chosen: ColumnElement[bool]) -> Frames:
    """Return the rows of a table that are chosen, converted, chunk by chunk; read verbatim."""
    known = {each.name: type_coerce(each, NullType) for each in table.columns}
    columns = [known[name] if name in known else column(name) for name in converter.read]
    query = select(*columns).select_from(table).where(*chosen).order_by(*row_key(table))
    size = _REJECTIONS_PER_CHUNK if table is import_rejections else ROWS_PER_CHUNK
    options = {"stream_results": True, "max_row_buffer": size}
    with closing(connection.execute(query, execution_options=options)) as found:
        for rows in found.partitions(size):
            yield converter.convert(rows)


def of_import(table: Table, import_id: str) -> ColumnElement[bool]:
    """Return the condition that a row is an import's; of artifacts, that the import names it."""
    if table is artifacts:
        named = select(import_artifacts.c.sha256).where(import_artifacts.c.import_id == import_id)
        return artifacts.c.sha256.in_(named)
    return table.c.import_id == import_id


def keep_places(work: UnitOfWork, places: Sequence[Place], known: set[str], at: datetime) -> None:
    """Keep the places of imports that the target does not know yet, under their numbers."""
    values = {"status": Status.PURGED, "worker": _PLACE_KEPT, "imported_at": at}
    new = [each for each in places if each.import_id not in known]
    if new:
        rows = [{"id": each.id, "import_id": each.import_id, **values} for each in new]
        work.connection.execute(import_batches.insert(), rows)
        work.renumber(import_batches, max(each.id for each in new))


def append_models(work: UnitOfWork, frame: pl.DataFrame) -> None:
    """Insert models that are not there yet, under their numbers. Raises CopyDiffers if one has another number there."""
    work.append(models, frame, {}, keep_existing=True)
    _renumber(work, models, frame)
    wanted = dict(frame.select("model", "id").iter_rows())
    query = select(models.c.model, models.c.id).where(models.c.model.in_(list(wanted)))
    there = {row.model: row.id for row in work.connection.execute(query)}
    if strange := sorted(name for name, number in wanted.items() if there.get(name) != number):
        raise CopyDiffers(f"The model {strange[0]} has another number at the target, or its number is another one's.")


def append_bulk(work: UnitOfWork, table: Table, import_id: str, frame: pl.DataFrame) -> None:
    """Insert rows of an import, under their numbers."""
    work.append(table, frame.drop("import_id"), {"import_id": import_id})
    _renumber(work, table, frame)


def append_few(work: UnitOfWork, table: Table, frame: pl.DataFrame) -> None:
    """Insert rows of a table in which an import has few."""
    work.connection.execute(table.insert(), list(rows_of(frame, table)))
    _renumber(work, table, frame)


def _renumber(work: UnitOfWork, table: Table, frame: pl.DataFrame) -> None:
    if "id" in frame.columns and len(frame):
        work.renumber(table, int(frame["id"].max()))  # type: ignore[arg-type] # of integers


def append_artifacts(work: UnitOfWork, frame: pl.DataFrame) -> None:
    """Insert artifacts that are not there yet."""
    work.append(artifacts, frame, {}, keep_existing=True)


def write_ledger(work: UnitOfWork, import_id: str, frame: pl.DataFrame) -> None:
    """Write an import in its place, and so end that the place is kept."""
    (values,) = rows_of(frame, import_batches)
    work.connection.execute(update(import_batches).where(import_batches.c.import_id == import_id).values(**values))


def count_all(connection: Connection, import_id: str) -> dict[str, int]:
    """Return how many rows an import has, by table."""
    tables = (*BULK, import_events, import_artifacts, idempotency_keys)
    return {table.name: _count(connection, table, import_id) for table in tables}


def _count(connection: Connection, table: Table, import_id: str) -> int:
    query = select(func.count()).select_from(table).where(table.c.import_id == import_id)
    return int(connection.execute(query).scalar_one())
