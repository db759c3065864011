"""Export listings: every row that a query finds, with where it came from, as one file in constant memory.

The imports are chosen in one snapshot. Their rows never change while they exist, so they are read in one short snapshot
a portion: no long one holds back SQLite's checkpoints or PostgreSQL's vacuum, however slowly the file is taken. What is
rolled back meanwhile is in the file as a whole, as it was visible when the file was begun; what is purged or discarded
meanwhile breaks the file off.
"""

from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, repeat
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
from numpy.typing import NDArray
from sqlalchemy import Connection

from glyphd.domain.imports import HOLDING_ROWS
from glyphd.domain.listing import FIELDS
from glyphd.domain.report import ExportFormat
from glyphd.ingest.ahead import read_ahead
from glyphd.ingest.keys import with_listing_keys
from glyphd.ingest.validate import DTYPES
from glyphd.services.browsing import ListingQuery, may_match, row_filters, visible_imports
from glyphd.services.context import Context
from glyphd.services.encoding import encoded
from glyphd.services.refusing import refused
from glyphd.store import artifacts, imports, listings, sighting_columns
from glyphd.store.listings import RowFilters, Stretch
from glyphd.store.reading_processes import ReadingProcesses
from glyphd.store.visibility import VisibleImport

INDEXES_PER_READ = 20_000
ROWS_PER_FRAME = 100_000
KEYS_IN_MEMORY = 4_000_000
"""Of larger imports the keys are made of the rows again: memory does not grow with them."""
_MOMENT = pl.Datetime("us", "UTC")
_NAMES = ("id", *(field.name for field in FIELDS), "created_at")
_READ = {
    "import_index": pl.Int64(),
    "id": pl.Int64(),
    **{field.name: DTYPES[field.type] for field in FIELDS},
    "created_at": _MOMENT,
}

SCHEMA = pl.Schema(
    {
        "id": pl.Int64(),
        "import_id": pl.String(),
        "import_index": pl.Int64(),
        **{field.name: DTYPES[field.type] for field in FIELDS},
        "listing_key": pl.String(),
        "created_at": _MOMENT,
        "source": pl.String(),
        "source_version": pl.Int64(),
        "observed_at": _MOMENT,
        "artifact_sha256": pl.String(),
    }
)
"""The columns of an export: those of a listing, then what is known of where it came from.

``source_version`` and ``observed_at`` are those of the batch in whose view a row is. ``artifact_sha256`` is that of its
import's file; of a pipeline run those of both files, with a space between.
"""


@dataclass(frozen=True, slots=True)
class _Origin:
    """An import to be exported, the digests of its files, and the fields that no column of theirs was read as."""

    entry: VisibleImport
    last_index: int
    artifact_sha256: str | None
    unread: frozenset[str]

    @property
    def is_own(self) -> bool:
        """Whether this service made it; rows of a database from the field have no file."""
        return self.artifact_sha256 is not None


def export_listings(
    context: Context, query: ListingQuery, form: ExportFormat, left_out: Iterable[str] = ()
) -> Generator[bytes, None, None]:
    """Return the bytes of a file of all listings that a query finds, in the order of the listings.

    Raises ImportNotFound here; IllegalTransition in the midst of it, when an import's rows are deleted meanwhile.
    """
    names = [name for name in SCHEMA if name not in set(left_out)]
    origins, filters = _chosen(context, query)
    portions = _portions(context, origins, filters)
    frames = read_ahead(_gathered(portions) if form is ExportFormat.PARQUET else portions)
    return encoded(form, (frame.select(names) for frame in frames), pl.Schema({name: SCHEMA[name] for name in names}))


def _chosen(context: Context, query: ListingQuery) -> tuple[list[_Origin], RowFilters]:
    """Return what is to be exported, all of one state of the database."""
    with context.database.reading() as connection:
        filters = row_filters(connection, query)
        found = visible_imports(connection, query, None)
        chosen = [entry for entry in found if filters.models != [] and may_match(connection, entry, filters)]
        return [_origin(connection, entry) for entry in chosen], filters


def _origin(connection: Connection, entry: VisibleImport) -> _Origin:
    files = artifacts.artifacts_of(connection, entry.import_id)
    read = imports.find_import(connection, entry.import_id).column_mapping.values()
    return _Origin(
        entry,
        listings.last_index(connection, entry.import_id),
        " ".join(each.sha256 for each in files) or None,
        frozenset(field.name for field in FIELDS) - set(read),
    )


def _portions(context: Context, origins: Sequence[_Origin], filters: RowFilters) -> Iterator[pl.DataFrame]:
    """Yield the rows, stretch by stretch; the next one is read meanwhile."""
    readable = 0 if filters.by_moment else sum(origin.last_index for origin in origins if origin.is_own)
    with context.database.reading_processes(readable) as processes:
        for origin, rows in read_ahead(_read_stretches(context, processes, origins, filters)):
            if rows.height:
                yield _with_origin(rows, origin)


def _read_stretches(
    context: Context, processes: ReadingProcesses | None, origins: Sequence[_Origin], filters: RowFilters
) -> Iterator[tuple[_Origin, pl.DataFrame]]:
    for origin in origins:
        starts = range(0, origin.last_index, INDEXES_PER_READ)
        stretches = [Stretch(origin.entry.import_id, start, start + INDEXES_PER_READ, filters) for start in starts]
        for stretch, answer in zip(stretches, _answers(processes, origin, stretches, filters), strict=True):
            with context.database.reading() as connection:
                rows = _read(connection, origin, stretch) if answer is None else answer
                _check_present(connection, origin)  # now: a process reads another state, which was before this one
            yield origin, rows


def _answers(
    processes: ReadingProcesses | None, origin: _Origin, stretches: Sequence[Stretch], filters: RowFilters
) -> Iterator[pl.DataFrame | None]:
    """Yield the stretches as processes read them; None for what has to be read value by value.

    Of whole imports the keys are those they were sighted by: that takes a fifth of the time of making them of URLs.
    Moments are compared by SQLite, of which the processes have another version than we do.
    """
    if processes is None or not origin.is_own or filters.by_moment:
        yield from repeat(None, len(stretches))
        return
    queries = listings.typed_queries(stretches, _NAMES, origin.unread)
    if not filters.are_empty or origin.last_index > KEYS_IN_MEMORY:
        for answer in processes.read_each(queries):
            yield listings.typed_answer(answer, _NAMES, origin.unread)
        return
    keys_query = sighting_columns.keys_query(origin.entry.import_id, origin.last_index)
    answers = processes.read_each(chain([keys_query], queries))
    keys = sighting_columns.keys_by_index(next(answers), origin.last_index)
    for answer in answers:
        rows = listings.typed_answer(answer, _NAMES, origin.unread)
        yield None if rows is None else _with_known_keys(rows, keys)


def _with_known_keys(rows: pl.DataFrame, keys: NDArray[np.int64]) -> pl.DataFrame:
    known = keys[rows["import_index"].to_numpy()]
    return rows.with_columns(pl.Series("listing_key", known)) if known.all() else rows


def _check_present(connection: Connection, origin: _Origin) -> None:
    present = imports.find_import(connection, origin.entry.import_id)
    if present.status not in HOLDING_ROWS:
        detail = f"The import is {present.status} now: its rows were deleted while they were exported."
        raise refused(connection, present, detail)


def _read(connection: Connection, origin: _Origin, stretch: Stretch) -> pl.DataFrame:
    """Return a stretch of rows; those of a database from the field value by value: they may be anything."""
    rows = listings.read_typed(connection, stretch, _NAMES) if origin.is_own else None
    if rows is not None:
        return rows
    columns = listings.read_values(connection, stretch, _NAMES)
    return pl.DataFrame([_series(*column) for column in zip(_READ, columns, strict=True)])


def _with_origin(rows: pl.DataFrame, origin: _Origin) -> pl.DataFrame:
    if "listing_key" not in rows.columns:
        rows = with_listing_keys(rows.cast(pl.Schema(_READ)))
    entry = origin.entry
    constants = {
        "import_id": entry.import_id,
        "source": entry.source,
        "source_version": entry.source_version,
        "observed_at": entry.observed_at,
        "artifact_sha256": origin.artifact_sha256,
    }
    known = {name: pl.lit(value, SCHEMA[name]) for name, value in constants.items()}
    keys = _hexadecimal(rows["listing_key"])
    return rows.with_columns(keys, **known).select(SCHEMA.names())


def _hexadecimal(keys: pl.Series) -> pl.Series:
    """Return keys as 16 hex digits each, all of them written at once."""
    digits = keys.to_numpy().astype(">i8").tobytes().hex().encode()
    return pl.Series(
        keys.name,
        pa.FixedSizeBinaryArray.from_buffers(pa.binary(16), len(keys), [None, pa.py_buffer(digits)]).cast(pa.binary()),
    ).cast(pl.String)


def _series(name: str, values: Sequence[Any]) -> pl.Series:
    """Return a column; moments by their distinct values, since polars takes 2 µs for each that it is given."""
    if _READ[name] != _MOMENT:
        return pl.Series(name, values, _READ[name])
    places = {value: place for place, value in enumerate(dict.fromkeys(values))}
    return pl.Series(name, list(places), _MOMENT).gather([places[value] for value in values])


def _gathered(frames: Iterable[pl.DataFrame]) -> Iterator[pl.DataFrame]:
    """Put small frames together: each becomes a row group of a Parquet file."""
    held: list[pl.DataFrame] = []
    for frame in frames:
        held.append(frame)
        if sum(map(len, held)) >= ROWS_PER_FRAME:
            yield pl.concat(held, rechunk=True)
            held = []
    if held:
        yield pl.concat(held, rechunk=True)
