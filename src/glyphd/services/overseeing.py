"""Oversee an installation: what waits for a decision, what runs now, and how each source is."""

from dataclasses import dataclass

from sqlalchemy import Connection

from glyphd.domain.gates import price_shift
from glyphd.domain.imports import PENDING, ImportFilters, Status
from glyphd.domain.report import ImportReport, SourceSummary
from glyphd.services.context import Context
from glyphd.services.reporting import report_imports
from glyphd.services.surveying import survey_sources
from glyphd.store import statistics, visibility

SHOWN = 20


@dataclass(frozen=True, slots=True)
class SourceState:
    """One source, and which way its prices went with the batch that stands for it, as :func:`price_shift` has it."""

    summary: SourceSummary
    reject_rate: float | None
    price_shift: float | None


@dataclass(frozen=True, slots=True)
class Oversight:
    """What there is to see first: the newest imports that wait for a decision and that run, and every source."""

    staged: list[ImportReport]
    pending: list[ImportReport]
    sources: list[SourceState]


def oversee(context: Context) -> Oversight:
    """Return what there is to see first."""
    staged, _ = report_imports(context, ImportFilters(statuses=(Status.STAGED,)), limit=SHOWN)
    pending, _ = report_imports(context, ImportFilters(statuses=tuple(PENDING)), limit=SHOWN)
    summaries = survey_sources(context)
    with context.database.reading() as connection:
        sources = [_state(connection, summary) for summary in summaries]
    return Oversight(staged, pending, sources)


def _state(connection: Connection, summary: SourceSummary) -> SourceState:
    rate = (summary.rejected or 0) / summary.received if summary.received else None
    return SourceState(summary, rate, _price_shift(connection, summary.current_import_id))


def _price_shift(connection: Connection, current_id: str | None) -> float | None:
    previous_id = visibility.earlier_batch(connection, current_id) if current_id else None
    if current_id is None or previous_id is None:
        return None
    standing = [visibility.standing_for(connection, batch_id) for batch_id in (current_id, previous_id)]
    now, before = (statistics.median_prices(connection, import_id) for import_id in standing)
    return price_shift(now, before)
