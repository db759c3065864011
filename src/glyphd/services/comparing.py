"""Compare two imports: what appeared, disappeared, and moved. Derived from their sightings whenever it is asked.

A few models at a time: of all rows only what the figures need is kept, and of those that are asked for a page.
"""

from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import polars as pl
from sqlalchemy import Connection

from glyphd.domain.diff import Change, ComparedImport, Diff, DiffFilters, DiffRow, DiffSummary
from glyphd.domain.imports import HOLDING_ROWS, Import
from glyphd.domain.listing import model_key
from glyphd.domain.report import ExportFormat
from glyphd.errors import InvalidParameter
from glyphd.ingest.ahead import read_ahead
from glyphd.services import pairing
from glyphd.services.context import Context
from glyphd.services.encoding import encoded
from glyphd.services.refusing import refused
from glyphd.store import imports, sighting_columns, statistics
from glyphd.store.database import Database
from glyphd.store.reading_processes import ReadingProcesses
from glyphd.store.sighting_columns import Shelf

EVERYTHING = DiffFilters()
ROWS_AT_ONCE = 50_000


MODELS_TOGETHER = 100_000
"""Models are paired until they have so many rows: a frame for each would cost more than its few rows."""


@dataclass(frozen=True, slots=True)
class _Comparison:
    """Two imports, the names that the numbers of their models stand for, and how many rows each has of them."""

    base: Import
    target: Import
    models: Sequence[str]
    counts: Sequence[Mapping[str, int]]

    def pairs(self, database: Database, connection: Connection) -> Iterator[pl.DataFrame]:
        """Yield the pairs of some models after the other, in the order of their names.

        The next ones are read meanwhile: nothing else may use the connection before the last of them.
        """
        with database.reading_processes(sum(sum(counts.values()) for counts in self.counts)) as processes:
            for base, target in read_ahead(self._sides(connection, processes)):
                yield pairing.pair(base, target)

    def _sides(self, connection: Connection, processes: ReadingProcesses | None) -> Iterator[list[pl.DataFrame]]:
        portions = list(self._portions())
        sides = [(name, numbers) for numbers in portions for name in ("base", "target")]
        rows = sighting_columns.read_each(connection, processes, [self._shelf(*side) for side in sides])
        for numbers in portions:
            yield [pairing.side(name, next(rows), numbers, self._counts(name, numbers)) for name in ("base", "target")]

    def _shelf(self, name: str, numbers: range) -> Shelf:
        entry = self.base if name == "base" else self.target
        first, last = self.models[numbers[0]], self.models[numbers[-1]]
        return Shelf(entry.import_id, first, last, sum(self._counts(name, numbers)))

    def _counts(self, name: str, numbers: range) -> list[int]:
        counts = self.counts[0] if name == "base" else self.counts[1]
        return [counts.get(self.models[number], 0) for number in numbers]

    def _portions(self) -> Iterator[range]:
        start = rows = 0
        for number, model in enumerate(self.models, 1):
            rows += sum(counts.get(model, 0) for counts in self.counts)
            if rows >= MODELS_TOGETHER or number == len(self.models):
                yield range(start, number)
                start, rows = number, 0


def find_compared(
    context: Context, target_id: str, base_id: str | None = None
) -> tuple[ComparedImport, ComparedImport]:
    """Return what would be compared, base and target. Raises as :func:`compare_imports`."""
    with context.database.reading() as connection:
        base, target = _sides(connection, target_id, base_id)
        return _told(base), _told(target)


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
    wanted = offset + limit + 1
    counted, chosen = [_nothing_counted()], [_no_pairs()]
    with context.database.reading() as connection:
        comparison = _compared(connection, target_id, base_id)
        named = _named(connection, filters)
        for pairs in comparison.pairs(context.database, connection):
            counted.append(pairs.select(pairing.COUNTED))
            chosen.append(pairing.select(pairs, comparison.models, filters, named, wanted))
            if sum(map(len, chosen)) > 2 * wanted + ROWS_AT_ONCE:
                chosen = [pairing.in_order(pl.concat(chosen), filters.sort, wanted)]
    rows = pairing.in_order(pl.concat(chosen), filters.sort)
    page = pairing.told(rows.slice(offset, limit), comparison.models)
    items = [DiffRow(Change(change), *rest) for change, *rest in page.iter_rows()]
    summary = pairing.summarise(pl.concat(counted), comparison.models)
    return Diff(_told(comparison.base), _told(comparison.target), summary, items, None), rows.height > offset + limit


def export_diff(
    context: Context, target_id: str, base_id: str | None, filters: DiffFilters, form: ExportFormat
) -> Generator[bytes, None, None]:
    """Yield all rows that are asked for as a file. Raises as :func:`compare_imports`, before the first byte."""
    with context.database.reading() as connection:
        comparison = _compared(connection, target_id, base_id)
        named = _named(connection, filters)
        chosen = [
            pairing.select(each, comparison.models, filters, named)
            for each in comparison.pairs(context.database, connection)
        ]
    rows = pairing.in_order(pl.concat([_no_pairs(), *chosen]), filters.sort)
    portions = (pairing.told(portion, comparison.models) for portion in rows.iter_slices(ROWS_AT_ONCE))
    return encoded(form, portions, pairing.told(rows.clear(), comparison.models).schema)


def summarise(database: Database, connection: Connection, base_id: str, target_id: str) -> DiffSummary:
    """Return the figures of a comparison, in a snapshot that is open. Raises as :func:`compare_imports`."""
    comparison = _compared(connection, target_id, base_id)
    counted = [pairs.select(pairing.COUNTED) for pairs in comparison.pairs(database, connection)]
    return pairing.summarise(pl.concat([_nothing_counted(), *counted]), comparison.models)


@cache  # not when this is imported: polars would start its threads, and a process that forks later has none of them
def _no_pairs() -> pl.DataFrame:
    nobody = sighting_columns.NO_SIGHTINGS
    return pairing.pair(pairing.side("base", nobody, [], []), pairing.side("target", nobody, [], []))


def _nothing_counted() -> pl.DataFrame:
    return _no_pairs().select(pairing.COUNTED)


def _sides(connection: Connection, target_id: str, base_id: str | None) -> tuple[Import, Import]:
    target = _with_rows(connection, target_id)
    return _with_rows(connection, base_id or _previous(target)), target


def _compared(connection: Connection, target_id: str, base_id: str | None) -> _Comparison:
    base, target = _sides(connection, target_id, base_id)
    counts = [sighting_columns.model_counts(connection, each.import_id) for each in (base, target)]
    return _Comparison(base, target, sorted({*counts[0], *counts[1]}), counts)


def _with_rows(connection: Connection, import_id: str) -> Import:
    entry = imports.find_import(connection, import_id)
    if entry.status not in HOLDING_ROWS:
        detail = f"The import {import_id} is {entry.status}; what is staged, published or rolled back can be compared."
        raise refused(connection, entry, detail)
    return entry


def _previous(target: Import) -> str:
    """Return what an import is compared with by default; one that hangs on a batch and follows nothing: its batch."""
    if (previous := target.previous_import_id or target.parent_import_id) is None:
        detail = "The import has no previous one in its source: name the one to compare it with in `against`."
        raise InvalidParameter(detail, parameter="against")
    return previous


def _named(connection: Connection, filters: DiffFilters) -> list[str] | None:
    """Return the models that are asked for; None for all."""
    return None if filters.model is None else statistics.models_matching(connection, model_key(filters.model))


def _told(entry: Import) -> ComparedImport:
    return ComparedImport(
        entry.import_id, entry.source, entry.source_version, entry.observed_at, entry.status, entry.count
    )
