"""Explain one record: where it came from, how it was read, what became of it, and where else its offer was seen.

The record is read again from the artifact by the reader of its import, up to its place and no further, and judged again
by the rules of the import's schema version. Nothing of it is stored twice.
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
from sqlalchemy import Connection

from glyphd.domain.identity import listing_key_from_hex
from glyphd.domain.imports import REPLAYABLE, Artifact, Import, Kind
from glyphd.domain.issues import Rejection
from glyphd.domain.lineage import CellLineage, Lineage, LineageImport, LineageSighting
from glyphd.domain.listing import fields_of
from glyphd.errors import ImportNotFound
from glyphd.ingest.records import IMPORT_INDEX, Chunk
from glyphd.ingest.submitted import SubmittedFile, open_submitted
from glyphd.ingest.validate import Validator
from glyphd.services.context import Context
from glyphd.services.inspecting import shown_record, told
from glyphd.store import artifacts, events, imports, listings, rejections, visibility
from glyphd.store.listings import RowFilters
from glyphd.store.visibility import VisibleImport

EVENTS = 1_000


@dataclass(frozen=True, slots=True)
class _Known:
    """What the database has of a record, all of one state."""

    entry: Import
    received_at: datetime
    stored: list[Artifact]
    listing: dict[str, Any] | None
    rejection: Rejection | None
    sightings: list[tuple[LineageSighting, bool]]
    events: list[events.Event]


def explain_record(context: Context, import_id: str, import_index: int) -> Lineage:
    """Return the lineage of a record by its place in an import that is staged, published or rolled back.

    Raises ImportNotFound, also when the import has no such record; ArtifactDamaged.
    """
    with context.database.reading() as connection:
        known = _known(connection, import_id, import_index)
    chunk = _record(context, known, import_index) if known.stored else None
    raw = chunk.raw(import_index) if chunk else known.rejection.raw if known.rejection else None
    shown = None if raw is None else shown_record(Rejection(import_index, raw, ()))
    entry, rejection = known.entry, known.rejection
    return Lineage(
        import_id=import_id,
        import_index=import_index,
        outcome="rejected" if rejection else "accepted",
        batch=LineageImport(**{name: getattr(entry, name) for name in LineageImport.__dataclass_fields__}),
        artifacts=known.stored,
        raw=shown.raw if shown else None,
        raw_encoding=shown.raw_encoding if shown else None,
        raw_missing=None if shown else "The import was made before glyphd kept what is submitted.",
        cells=_cells(known, chunk),
        issues=rejection.issues if rejection else (),
        warnings=_warnings(known, chunk),
        listing=known.listing,
        earlier=[sighting for sighting, is_later in known.sightings if not is_later],
        later=[sighting for sighting, is_later in known.sightings if is_later],
        events=[told(event) for event in known.events],
    )


def _known(connection: Connection, import_id: str, import_index: int) -> _Known:
    entry = imports.find_import(connection, import_id)
    if entry.status not in REPLAYABLE:
        raise ImportNotFound(f"The import is {entry.status}: it has no records to explain.", import_id=import_id)
    rows = listings.read_rows(connection, import_id, RowFilters(), after_index=import_index - 1, limit=1)
    listing = rows[0] if rows and rows[0]["import_index"] == import_index else None
    refused, _ = rejections.list_rejections(connection, import_id, limit=1, after_index=import_index - 1)
    rejection = refused[0] if refused and refused[0].import_index == import_index else None
    if listing is None and rejection is None:
        raise ImportNotFound(f"The import has no record {import_index}.", import_id=import_id)
    judged_as = entry.parent_import_id if entry.kind is Kind.REPLAY else None
    return _Known(
        entry,
        imports.find_import(connection, judged_as or import_id).imported_at,
        artifacts.artifacts_of(connection, import_id),
        listing,
        rejection,
        _sightings(connection, entry, listing) if listing else [],
        events.list_events(connection, import_id, limit=EVENTS),
    )


def _sightings(connection: Connection, entry: Import, listing: dict[str, Any]) -> list[tuple[LineageSighting, bool]]:
    """Return where the offer was seen besides, in order of time, and whether that was later."""
    key, own = listing_key_from_hex(listing["listing_key"]), _place(entry)
    found = []
    for view in visibility.batch_views(connection):
        later = _place(view) > own
        for index, price, score in listings.sightings_of(connection, view.import_id, listing["canonical_model"], key):
            if (view.import_id, index) != (entry.import_id, listing["import_index"]):
                found.append((LineageSighting(view.import_id, index, view.observed_at, price, score), later))
    return found


def _place(entry: Import | VisibleImport) -> tuple[datetime, int]:
    """Return by what an import has its place in time; one of which no moment is known comes first."""
    return entry.observed_at or datetime.min.replace(tzinfo=UTC), entry.id


def _record(context: Context, known: _Known, import_index: int) -> Chunk | None:
    """Return a chunk of this one record; the reader stops behind it."""
    files = [
        SubmittedFile(context.artifacts.verified(each.sha256), each.media_type, each.filename, each.role)
        for each in known.stored
    ]
    with context.artifacts.scratch() as spool:
        return _find(context, known.entry.schema_version, files, spool, import_index)


def _find(
    context: Context, schema_version: str, files: list[SubmittedFile], spool: Path, import_index: int
) -> Chunk | None:
    for chunk in open_submitted(files, schema_version=schema_version, limits=context.limits, spool=spool):
        if import_index < chunk.first_index + chunk.received:
            return _one_record(chunk, import_index)
    return None


def _one_record(chunk: Chunk, import_index: int) -> Chunk:
    raw = chunk.raw(import_index)  # taken now: what was decompressed goes with the spool
    cells = chunk.cells.filter(pl.col(IMPORT_INDEX) == import_index)
    malformed = [each for each in chunk.malformed if each.import_index == import_index]
    return replace(
        chunk, first_index=import_index, received=1, cells=cells, malformed=malformed, raw=lambda _index: raw
    )


def _warnings(known: _Known, chunk: Chunk | None) -> dict[str, int]:
    if chunk is None:
        return {}
    verdict = Validator(known.entry.schema_version, known.received_at).validate(chunk)
    return dict(sorted(verdict.warning_counts.items()))


def _cells(known: _Known, chunk: Chunk | None) -> list[CellLineage]:
    """Return how each field was read; of a malformed record, which has no cells, nothing."""
    if chunk is None or chunk.cells.is_empty():
        return []
    headers = {field: header for header, field in known.entry.column_mapping.items()}
    texts = chunk.cells.row(0, named=True)
    return [
        CellLineage(field.name, headers.get(field.name), texts.get(field.name), (known.listing or {}).get(field.name))
        for field in fields_of(known.entry.schema_version)
        if field.name in headers or field.name in texts
    ]
