"""Report on the market: on one import as it was when it came, or on a view of the market as it is.

A report of an import is about that import's own rows, which never change, whatever is published after it. The rows are
read some models at a time: memory depends on the biggest model, and on 16 bytes a row for the ranges of all.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields, replace
from typing import Any

import msgspec
import polars as pl
from sqlalchemy import Connection

from glyphd.domain.diff import DiffFigures
from glyphd.domain.imports import HOLDING_ROWS, Import, Kind
from glyphd.domain.market_report import (
    MIN_LISTINGS,
    THRESHOLD,
    Anomalies,
    BudgetShelf,
    MarketQuery,
    MarketReport,
    Quality,
    ReportedChanges,
    ReportedImport,
    ReportFormat,
    budgets_for,
)
from glyphd.errors import InvalidParameter
from glyphd.rendering.market_report import render_html, render_markdown
from glyphd.services import comparing
from glyphd.services.context import Context
from glyphd.services.market_figures import MODELS, TOP, TOP_OF_STEP, MarketFigures, shelves_for
from glyphd.services.offers import Offers
from glyphd.services.options import parse_moment
from glyphd.services.refusing import refused
from glyphd.store import artifacts, imports, market, visibility
from glyphd.store.database import Database
from glyphd.store.market import ModelRange

ROWS_AT_ONCE = 500_000
MODELS_CHANGED = 10
_TAKEN_OVER = sorted({*ReportedImport.__dataclass_fields__} & {*Import.__dataclass_fields__})


def write_market_report(context: Context, query: MarketQuery, form: ReportFormat) -> bytes:
    """Return a market report as a file. Raises as :func:`report_market`."""
    report = report_market(context, query)
    if form is ReportFormat.JSON:
        return msgspec.json.encode(report)
    return (report.markdown if form is ReportFormat.MARKDOWN else render_html(report)).encode()


def read_query(given: Mapping[str, Any]) -> MarketQuery:
    """Read what a market report is about, as it is named in the HTTP API. Raises InvalidParameter."""
    as_of = parse_moment("as_of", given["as_of"]) if given.get("as_of") else None
    return MarketQuery(given.get("import_id"), as_of, given.get("source"), given.get("budget"))


def report_market(context: Context, query: MarketQuery) -> MarketReport:
    """Return a market report, all of one state of the database.

    Raises ImportNotFound, InvalidParameter for an import beside a view, and IllegalTransition where an import has no
    rows: while it is not finished, and once they are gone.
    """
    with context.database.reading() as connection:
        report = _report(context.database, connection, query, _subjects(connection, query))
    return replace(report, markdown=render_markdown(report))


def count_rows(context: Context, query: MarketQuery) -> int:
    """Return how many rows a report would be about. Raises as :func:`report_market`."""
    with context.database.reading() as connection:
        return sum(entry.count for entry in _subjects(connection, query))


def _subjects(connection: Connection, query: MarketQuery) -> list[Import]:
    if query.import_id is not None and (query.as_of or query.source):
        raise InvalidParameter(
            "import_id names what is reported on: leave out as_of and source.", parameter="import_id"
        )
    if query.import_id is None:
        view = visibility.market_imports(connection, as_of=query.as_of, source=query.source)
        return [imports.find_import(connection, entry.import_id) for entry in view]
    entry = imports.find_import(connection, query.import_id)
    if entry.status not in HOLDING_ROWS:
        detail = f"The import is {entry.status}: there are no rows to report on."
        raise refused(connection, entry, detail)
    return [entry]


def _report(database: Database, connection: Connection, query: MarketQuery, subjects: Sequence[Import]) -> MarketReport:
    figures = _figures(connection, [entry.import_id for entry in subjects], query.budget)
    offers = Offers(connection, [entry.import_id for entry in subjects])
    shelves = (shelf.best for shelf in figures.shelves)
    offers.read(figures.top_ranked, figures.best_value, figures.anomalies, *shelves)
    return MarketReport(
        import_id=query.import_id,
        as_of=query.as_of,
        source=query.source,
        imports=[_reported(connection, entry) for entry in subjects],
        summary_stats=figures.summary(),
        models=figures.markets(),
        models_truncated=figures.model_count > MODELS,
        top_ranked=offers.of(figures.top_ranked),
        best_value=offers.of(figures.best_value),
        under_budget=[BudgetShelf(shelf.budget, shelf.count, offers.of(shelf.best)) for shelf in figures.shelves],
        anomalies=Anomalies(figures.anomaly_count, THRESHOLD, MIN_LISTINGS, offers.anomalies(figures.anomalies)),
        changes=[_changes(database, connection, entry) for entry in subjects if _follows(entry)],
        quality=_quality(subjects),
        markdown="",
    )


def _figures(connection: Connection, import_ids: Sequence[str], budget: float | None) -> MarketFigures:
    models = market.model_ranges(connection, import_ids)
    figures = MarketFigures(shelves_for(*_budgets(models, budget)))
    for group in market.model_groups(models, ROWS_AT_ONCE):
        first, last = group[0].model, group[-1].model
        parts = [
            market.sightings_between(connection, import_id, first, last).with_columns(place=pl.lit(place))
            for place, import_id in enumerate(import_ids)
        ]
        figures.add(pl.concat(parts))
    return figures


def _budgets(models: Sequence[ModelRange], budget: float | None) -> tuple[list[float], int]:
    if budget is not None:
        return [budget], TOP
    if not models:
        return [], 0
    lowest, highest = min(model.min_price for model in models), max(model.max_price for model in models)
    return budgets_for(lowest, highest), TOP_OF_STEP


def _reported(connection: Connection, entry: Import) -> ReportedImport:
    taken = {name: getattr(entry, name) for name in _TAKEN_OVER}
    return ReportedImport(**taken, artifacts=artifacts.artifacts_of(connection, entry.import_id))


def _follows(entry: Import) -> bool:
    """Tell whether an import is a whole crawl that came after another one; an amendment is only some rows of one."""
    return entry.kind is not Kind.AMENDMENT and entry.previous_import_id is not None


def _changes(database: Database, connection: Connection, entry: Import) -> ReportedChanges:
    previous_id = entry.previous_import_id or ""
    if imports.find_import(connection, previous_id).status not in HOLDING_ROWS:
        return ReportedChanges(entry.import_id, entry.source, previous_id, None, [])
    summary = comparing.summarise(database, connection, previous_id, entry.import_id)
    figures = DiffFigures(**{field.name: getattr(summary, field.name) for field in fields(DiffFigures)})
    changed = [model for model in summary.models if model.changes]
    return ReportedChanges(entry.import_id, entry.source, previous_id, figures, changed[:MODELS_CHANGED])


def _quality(subjects: Sequence[Import]) -> Quality:
    return Quality(
        received=sum(entry.received for entry in subjects),
        count=sum(entry.count for entry in subjects),
        rejected=sum(entry.rejected for entry in subjects),
        error_counts=_added(entry.error_counts for entry in subjects),
        warning_counts=_added(entry.warning_counts for entry in subjects),
    )


def _added(counts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    """Add up counts by code; the codes are in order of name."""
    total: Counter[str] = Counter()
    for each in counts:
        total.update(each)
    return dict(sorted(total.items()))
