"""Explain a figure: from which file and record it is, how it was converted, and where else the offer was seen."""

import base64
from collections.abc import Sequence
from dataclasses import fields
from typing import Any

from sqlalchemy import Connection

from glyphd.domain.identity import listing_key_from_hex
from glyphd.domain.imports import HOLDING_ROWS, PENDING, Artifact, Import
from glyphd.domain.issues import Rejection
from glyphd.domain.lineage import Conversion, Lineage, OfferSighting, Origin
from glyphd.domain.listing import fields_of
from glyphd.errors import ArtifactDamaged, FileFault, ListingNotFound, UnsupportedFormat
from glyphd.ingest.explaining import ExplainedRecord, explain_record
from glyphd.ingest.submitted import SubmittedFile, open_submitted
from glyphd.services.context import Context
from glyphd.services.inspecting import told
from glyphd.store import artifacts, events, imports, listings, rejections, sightings, visibility

SIGHTINGS_SHOWN = 100
EVENTS_SHOWN = 1000
NOT_READ = "The artifact was not read: it is large."
NO_ARTIFACT = "The import has no artifact: it was made before glyphd kept what is submitted."


def explain_listing(context: Context, import_id: str, import_index: int, *, most_bytes: int | None = None) -> Lineage:
    """Return the lineage of a record that was stored or rejected, of an import in any state that keeps it.

    Artifacts that have more than ``most_bytes`` together are not read: how the record was submitted is then missing.
    Raises ImportNotFound, and ListingNotFound where the import has no such record, or no longer.
    """
    with context.database.reading() as connection:
        entry = imports.find_import(connection, import_id)
        held = entry.status in HOLDING_ROWS
        listing = listings.find_listing(connection, import_id, import_index) if held else None
        rejection = rejections.find_rejection(connection, import_id, import_index)
        if entry.status in PENDING or (listing is None and rejection is None):
            detail = f"The import is {entry.status} and has no record {import_index}."
            raise ListingNotFound(detail, import_id=import_id, import_index=import_index)
        stored = artifacts.artifacts_of(connection, import_id)
        seen = _sightings(connection, entry, listing) if listing else ([], [], False)
        happened = events.list_events(connection, import_id, limit=EVENTS_SHOWN)
    record, missing = _record(context, entry, stored, import_index, most_bytes)
    return Lineage(
        outcome="rejected" if listing is None else "stored",
        import_id=import_id,
        import_index=import_index,
        origin=Origin(**{field.name: getattr(entry, field.name) for field in fields(Origin)}),
        artifacts=stored,
        **_raw(record.raw if record else rejection.raw if rejection else None),
        raw_missing=None if record or rejection else missing,
        conversions=_conversions(entry, record, listing),
        warnings=sorted(record.verdict.warning_counts) if record else [],
        issues=rejection.issues if rejection else [],
        listing=listing,
        earlier=seen[0],
        later=seen[1],
        sightings_truncated=seen[2],
        events=list(map(told, happened)),
    )


def find_record(context: Context, named: str) -> tuple[str, int]:
    """Return import_id and import_index of what is named: `IMPORT_ID:INDEX`, a listing_key (16 hex digits: its newest
    visible sighting) or a row number. Raises ListingNotFound.
    """
    import_id, _, index = named.rpartition(":")
    if import_id and index.isdecimal() and len(index) < 16:
        return import_id, int(index)
    with context.database.reading() as connection:
        found = _by_key(connection, named) if len(named) == 16 else _by_row_number(connection, named)
    if found is None:
        raise ListingNotFound(f"There is no listing {named!r} that is visible.", listing=named)
    return found


def _by_key(connection: Connection, named: str) -> tuple[str, int] | None:
    try:
        key = listing_key_from_hex(named)
    except ValueError:
        return None
    place = {entry.import_id: at for at, entry in enumerate(visibility.batch_views(connection))}
    model = sightings.model_of_offer(connection, list(place), key)
    if model is None:
        return None
    seen = sightings.sightings_of(connection, list(place), model, [key])
    found = [(place[row.import_id], row.import_index, row.import_id) for row in seen]
    newest = max(at for at, _, _ in found)
    return min((import_id, index) for at, index, import_id in found if at == newest)


def _by_row_number(connection: Connection, named: str) -> tuple[str, int] | None:
    if not (named.isascii() and named.isdecimal() and len(named) < 16):
        return None
    found = listings.find_row_number(connection, int(named))
    if found is None or imports.find_import(connection, found[0]).status not in HOLDING_ROWS:
        return None
    return found


def _sightings(
    connection: Connection, entry: Import, listing: dict[str, Any]
) -> tuple[list[OfferSighting], list[OfferSighting], bool]:
    """Return the nearest sightings of an offer before and after its import, and whether there are more."""
    batch = imports.find_import(connection, entry.parent_import_id or entry.import_id)
    own = (batch.observed_at or batch.imported_at, batch.source, batch.source_version or 0)
    views = {each.import_id: each for each in visibility.batch_views(connection) if each.batch_id != batch.import_id}
    key, model = listing_key_from_hex(listing["listing_key"]), listing["canonical_model"]
    found = []
    for row in sightings.sightings_of(connection, list(views), model, [key]):
        view = views[row.import_id]
        seen = OfferSighting(row.import_id, row.import_index, view.source, view.observed_at, row.price, row.score)
        place = (view.observed_at or batch.imported_at, view.source, view.source_version or 0)
        found.append((place, row.import_id, row.import_index, seen))
    found.sort(key=lambda each: each[:3])
    earlier = [seen for place, *_, seen in found if place < own]
    later = [seen for place, *_, seen in found if place >= own]
    truncated = max(len(earlier), len(later)) > SIGHTINGS_SHOWN
    return earlier[-SIGHTINGS_SHOWN:], later[:SIGHTINGS_SHOWN], truncated


def _record(
    context: Context, entry: Import, stored: Sequence[Artifact], import_index: int, most_bytes: int | None
) -> tuple[ExplainedRecord | None, str | None]:
    """Read a record from its artifacts; without it, say why it cannot be had."""
    if not stored:
        return None, NO_ARTIFACT
    if most_bytes is not None and sum(each.bytes for each in stored) > most_bytes:
        return None, NOT_READ
    try:
        with context.artifacts.scratch() as spool:
            files = [
                SubmittedFile(context.artifacts.locate(each.sha256), each.media_type, each.filename, each.role)
                for each in stored
            ]
            version = entry.schema_version
            reader = open_submitted(files, schema_version=version, limits=context.limits, spool=spool)
            record = explain_record(reader, import_index, version, entry.imported_at)
            return record, None if record else "The artifact has no such record."
    except (FileFault, UnsupportedFormat, ArtifactDamaged) as exc:
        return None, exc.detail


def _raw(raw: bytes | None) -> dict[str, Any]:
    if raw is None:
        return {"raw": None, "raw_encoding": None}
    encoding = Rejection(1, raw, ()).encoding
    return {"raw": raw.decode() if encoding == "utf8" else base64.b64encode(raw).decode(), "raw_encoding": encoding}


def _conversions(entry: Import, record: ExplainedRecord | None, listing: dict[str, Any] | None) -> list[Conversion]:
    headers, cells = (record.headers, record.cells) if record else ({}, {})
    return [
        Conversion(field.name, headers.get(field.name), cells.get(field.name), listing and listing[field.name])
        for field in fields_of(entry.schema_version)
    ]
