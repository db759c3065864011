"""Compare two imports: what appeared, disappeared, and moved. Derived from their sightings whenever it is asked."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import polars as pl
from sqlalchemy import Connection

from glyphd.domain.diff import Change, ComparedImport, Diff, DiffFilters, DiffRow, DiffSummary
from glyphd.domain.imports import HOLDING_ROWS, Import, state_of
from glyphd.domain.listing import model_key
from glyphd.domain.report import ExportFormat
from glyphd.errors import IllegalTransition, InvalidParameter
from glyphd.services import pairing
from glyphd.services.context import Context
from glyphd.services.encoding import encoded
from glyphd.store import imports, sighting_columns, statistics

EVERYTHING = DiffFilters()
ROWS_AT_ONCE = 50_000


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two imports, the pairs of their rows, and the names that the numbers of models stand for."""

    base: Import
    target: Import
    pairs: pl.DataFrame
    models: Sequence[str]

    @property
    def summary(self) -> DiffSummary:
        """Return the figures of all rows."""
        return pairing.summarise(self.pairs, self.models)


def compare_imports(
    context: Context,
    target_id: str,
    base_id: str | None = None,
    filters: DiffFilters = EVERYTHING,
    *,
    limit: int,
    offset: int = 0,
) -> tuple[Diff, bool]:
    """Return the figures and a page of the rows, and whether there are more. Without a base: its previous import.

    The rows of both are those they were published with, whatever was amended or replayed since. Raises ImportNotFound,
    InvalidParameter when there is no previous import, and IllegalTransition for an import that has no rows to compare.
    """
    with context.database.reading() as connection:
        comparison = _compare(connection, target_id, base_id)
        rows = _selected(connection, comparison, filters)
    page = pairing.told(rows.slice(offset, limit), comparison.models)
    items = [DiffRow(Change(change), *rest) for change, *rest in page.iter_rows()]
    base, target = _told(comparison.base), _told(comparison.target)
    return Diff(base, target, comparison.summary, items, None), rows.height > offset + limit


def export_diff(
    context: Context, target_id: str, base_id: str | None, filters: DiffFilters, form: ExportFormat
) -> Iterator[bytes]:
    """Yield all rows that are asked for as a file. Raises as :func:`compare_imports`, before the first byte."""
    with context.database.reading() as connection:
        comparison = _compare(connection, target_id, base_id)
        rows = _selected(connection, comparison, filters)
    portions = (pairing.told(portion, comparison.models) for portion in rows.iter_slices(ROWS_AT_ONCE))
    return encoded(form, portions, pairing.told(rows.clear(), comparison.models).schema)


def summarise(connection: Connection, base_id: str, target_id: str) -> DiffSummary:
    """Return the figures of a comparison, in a snapshot that is open. Raises as :func:`compare_imports`."""
    return _compare(connection, target_id, base_id).summary


def _compare(connection: Connection, target_id: str, base_id: str | None) -> Comparison:
    target = _with_rows(connection, target_id)
    base = _with_rows(connection, base_id or _previous(target))
    counts = [sighting_columns.model_counts(connection, each.import_id) for each in (base, target)]
    models = sorted({*counts[0], *counts[1]})
    sides = [
        pairing.side(
            name,
            sighting_columns.read_sightings(connection, each.import_id, sum(count.values())),
            models,
            [count.get(model, 0) for model in models],
        )
        for name, each, count in zip(("base", "target"), (base, target), counts, strict=True)
    ]
    return Comparison(base, target, pairing.pair(*sides), models)


def _with_rows(connection: Connection, import_id: str) -> Import:
    entry = imports.find_import(connection, import_id)
    if entry.status not in HOLDING_ROWS:
        detail = f"The import {import_id} is {entry.status}; what is staged, published or rolled back can be compared."
        raise IllegalTransition(detail, **state_of(entry))
    return entry


def _previous(target: Import) -> str:
    """Return what an import is compared with by default; one that hangs on a batch and follows nothing: its batch."""
    if (previous := target.previous_import_id or target.parent_import_id) is None:
        detail = "The import has no previous one in its source: name the one to compare it with in `against`."
        raise InvalidParameter(detail, parameter="against")
    return previous


def _selected(connection: Connection, comparison: Comparison, filters: DiffFilters) -> pl.DataFrame:
    named = None
    if filters.model is not None:
        named = statistics.models_matching(connection, model_key(filters.model))
    return pairing.select(comparison.pairs, comparison.models, filters, named)


def _told(entry: Import) -> ComparedImport:
    return ComparedImport(
        entry.import_id, entry.source, entry.source_version, entry.observed_at, entry.status, entry.count
    )
