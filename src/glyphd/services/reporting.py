"""The report of an import: the one shape in which every edge tells what became of a batch (DESIGN §6)."""

from collections.abc import Iterable, Sequence
from itertools import islice

from sqlalchemy import Connection

from glyphd.domain.gates import read_gates
from glyphd.domain.imports import PENDING, ROWS_TO_REMOVE, Artifact, Import, ImportFilters, ImportPlace, Kind, Status
from glyphd.domain.issues import Issue
from glyphd.domain.progress import Progress, progress_of
from glyphd.domain.report import ImportReport, ModelCount, RecordError
from glyphd.services.context import Context
from glyphd.store import artifacts, imports, rejections, statistics, visibility
from glyphd.store.import_order import place_of

ERRORS_LIMIT = 100
TOP_MODELS = 10


def report_import(context: Context, import_id: str) -> ImportReport:
    """Return the report of one import, as of now. Raises ImportNotFound."""
    with context.database.reading() as connection:
        return build_report(connection, imports.find_import(connection, import_id))


def is_pending(context: Context, import_id: str) -> bool:
    """Tell whether a worker still has to do something for an import. Raises ImportNotFound."""
    with context.database.reading() as connection:
        return imports.find_import(connection, import_id).status in PENDING


def report_imports(
    context: Context, filters: ImportFilters, *, limit: int, after: ImportPlace | None = None
) -> tuple[list[ImportReport], ImportPlace | None]:
    """Return the reports of a page of imports in the order asked for, and where it ended; None on the last page."""
    with context.database.reading() as connection:
        seen = [visibility.in_view()] if filters.visible else []
        entries = imports.list_imports(connection, filters, *seen, limit=limit + 1, after=after)
        reports = [build_report(connection, entry) for entry in entries[:limit]]
    return reports, place_of(entries[limit - 1], filters.sort) if len(entries) > limit else None


def build_report(connection: Connection, entry: Import) -> ImportReport:
    """Build a report inside a snapshot that is already open."""
    stored = artifacts.artifacts_of(connection, entry.import_id)
    errors = _errors(connection, entry) if entry.rejected else []
    counted = entry.status not in PENDING and entry.count
    rowless = entry.status in ROWS_TO_REMOVE
    return ImportReport(
        **{name: getattr(entry, name) for name in _TAKEN_OVER},
        gates=read_gates(entry.gates),
        duration_ms=_duration_ms(entry),
        errors=errors,
        errors_truncated=sum(entry.error_counts.values()) > len(errors),
        duplicate_of=_duplicate_of(connection, entry, stored),
        price_range=None if rowless else range_of(entry.min_price, entry.max_price),
        score_range=None if rowless else range_of(entry.min_score, entry.max_score),
        top_models=_top_models(connection, entry) if counted else [],
        artifacts=stored,
        progress=_progress(connection, entry),
        links=_links(entry, has_artifact=bool(stored)),
    )


_TAKEN_OVER = sorted({*ImportReport.__dataclass_fields__} & {*Import.__dataclass_fields__} - {"gates"})


def _duplicate_of(connection: Connection, entry: Import, stored: Sequence[Artifact]) -> str | None:
    if entry.kind is not Kind.BATCH:
        return None
    return imports.earlier_duplicate(connection, entry.source, stored, below_id=entry.id)


def record_errors(found: Iterable[tuple[int, Sequence[Issue]]]) -> list[RecordError]:
    """Return the first hundred issues of rejected records, each record given by its import_index."""
    errors = (
        RecordError(import_index, issue.field, issue.code, issue.message, issue.value)
        for import_index, issues in found
        for issue in issues
    )
    return list(islice(errors, ERRORS_LIMIT))


def _errors(connection: Connection, entry: Import) -> list[RecordError]:
    return record_errors(rejections.list_issues(connection, entry.import_id, limit=ERRORS_LIMIT))


def _top_models(connection: Connection, entry: Import) -> list[ModelCount]:
    return [ModelCount(*row) for row in statistics.top_models(connection, entry.import_id, TOP_MODELS)]


def range_of(low: float | None, high: float | None) -> tuple[float, float] | None:
    """Return a range; None where there are no rows."""
    return None if low is None or high is None else (low, high)


def _duration_ms(entry: Import) -> int | None:
    if entry.completed_at is None:
        return None
    seconds = (entry.completed_at - entry.imported_at).total_seconds()
    return max(0, round(seconds * 1000))  # a clock may have stepped back


def _progress(connection: Connection, entry: Import) -> Progress | None:
    if entry.status not in PENDING:
        return None
    before = imports.count_waiting(connection, before=entry.id) if entry.status is Status.RECEIVED else None
    return progress_of(entry, before)


def _links(entry: Import, *, has_artifact: bool) -> dict[str, str]:
    """Return what there is to follow: of a purged import its events; a diff, of what has something to differ from."""
    own, named = f"/api/imports/{entry.import_id}", f"import_id={entry.import_id}"
    with_rows = {
        "report": f"/api/report?{named}",
        "listings": f"/api/listings?{named}",
        "rejections": f"{own}/rejections",
    }
    compared = entry.previous_import_id or entry.parent_import_id
    is_purged = entry.status is Status.PURGED
    return {
        "self": own,
        **({} if is_purged else with_rows),
        **({} if is_purged and not has_artifact else {"artifact": f"{own}/artifact"}),
        "events": f"{own}/events",
        **({} if is_purged or compared is None else {"diff": f"{own}/diff"}),
    }
