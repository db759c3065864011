"""Run an import: claim it, read its artifact, keep what is valid, say what is not, and hand it to the audit.

A run writes in short transactions, each of which renews the lease and compares the fencing token, so that a worker
that lost its import can write nothing more, and other writers never wait for long.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import polars as pl
import structlog

from glyphd.domain.imports import Import, Kind, OnError, Status
from glyphd.domain.issues import Rejection
from glyphd.errors import (
    FileFault,
    GlyphdError,
    LeaseLost,
    NoValidRecord,
    RejectedRecords,
    StoreUnavailable,
    UnexpectedFailure,
    WorkerDied,
)
from glyphd.ingest.ahead import read_ahead
from glyphd.ingest.columns import ColumnMapping
from glyphd.ingest.derivation import Derivation
from glyphd.ingest.records import RecordReader
from glyphd.ingest.submitted import SubmittedFile, open_submitted
from glyphd.ingest.validate import Validator, Verdict
from glyphd.services.auditing import audit_import
from glyphd.services.cleaning import remove_rows
from glyphd.services.context import Context
from glyphd.services.heartbeat import heartbeat
from glyphd.store import artifacts, events, imports, rejections, rows
from glyphd.store.unit_of_work import UnitOfWork

MAX_ATTEMPTS = 5

_log = structlog.get_logger()


def run_next(context: Context, worker: str) -> bool:
    """Claim the oldest import that waits and run it to its end; tell whether there was one."""
    held = claim_next(context, worker)
    if held is None:
        return False
    if held.status is Status.RUNNING:
        run_import(context, held)
    return True


def claim_next(context: Context, worker: str) -> Import | None:
    """Take the oldest waiting import under a new fencing token; one that killed too many workers fails instead."""
    with context.database.reading() as connection:
        if imports.find_waiting(connection, context.clock(), context.lease) is None:
            return None
    with context.database.writing() as work:
        now = context.clock()  # the turn may have been long in coming: a lease counts from here
        waiting = imports.hold_waiting(work, now, context.lease)
        if waiting is None:
            return None
        if waiting.attempts >= MAX_ATTEMPTS:
            died = WorkerDied(f"{waiting.attempts} attempts to run this import ended without an outcome.")
            _write_failure(context, work, waiting, died)
        else:
            _write_claim(context, work, waiting, worker, now)
        work.commit()
        return imports.find_import(work.connection, waiting.import_id)


def _write_claim(context: Context, work: UnitOfWork, waiting: Import, worker: str, now: datetime) -> None:
    takeover = waiting.status is Status.RUNNING
    values = {
        "status": Status.RUNNING,
        "worker": worker,
        "lease_expires_at": now + context.lease,
        "fencing_token": waiting.fencing_token + 1,
        "attempts": waiting.attempts + 1,
        "records_done": 0,
        "started_at": now,
    }
    imports.update_import(work.connection, waiting.import_id, values)
    action = "taken_over" if takeover else "started"
    events.add_event(work.connection, waiting.import_id, now, worker, action, Status.RUNNING)


def run_import(context: Context, held: Import) -> None:
    """Run a claimed import to published, staged or failed. Never raises for what is wrong with the batch."""
    log = _log.bind(import_id=held.import_id, attempt=held.attempts, request_id=_request_id(context, held))
    log.info("import.started", source=held.source)
    run = _Run(context, held)
    try:
        with heartbeat(context, held), context.artifacts.scratch() as spool, Derivation(spool) as derivation:
            run.read_artifacts(spool, derivation)
            log.info("import.read", received=run.received, count=run.count, rejected=run.rejected)
            finished = audit_import(context, held, run.outcome(), derivation)
        log.info("import.finished", status=finished.status, count=finished.count, rejected=finished.rejected)
    except LeaseLost:
        log.warning("import.lease_lost")
    except StoreUnavailable as exc:  # nothing is wrong with the batch: the lease lapses and it is tried again
        log.error("import.interrupted", code=exc.code, detail=exc.detail)
    except GlyphdError as exc:
        run.fail(exc)
        log.warning("import.failed", code=exc.code)
    except Exception as exc:
        log.exception("import.unexpected")
        run.fail(UnexpectedFailure(f"{type(exc).__name__}: see the server's log."))


def _received_at(context: Context, held: Import) -> datetime:
    """Return when the records were submitted: a replay judges them as of then."""
    if held.kind is not Kind.REPLAY or held.parent_import_id is None:
        return held.imported_at
    with context.database.reading() as connection:
        return imports.find_import(connection, held.parent_import_id).imported_at


def _request_id(context: Context, held: Import) -> str | None:
    """Return the id of the request that submitted the batch, which the first event keeps."""
    with context.database.reading() as connection:
        received = events.list_events(connection, held.import_id, limit=1)
    return received[0].details.get("request_id") if received else None


@dataclass(slots=True)
class _Run:
    """One attempt at one import, and what it has counted so far."""

    context: Context
    held: Import
    received: int = 0
    count: int = 0
    rejected: int = 0
    warning_counts: Counter[str] = field(default_factory=Counter)
    error_counts: Counter[str] = field(default_factory=Counter)
    columns: ColumnMapping | None = None
    known_models: set[str] = field(default_factory=set)

    def read_artifacts(self, spool: Path, derivation: Derivation) -> None:
        """Store every record of the batch as a row or as a rejection. Raises FileFault and LeaseLost."""
        if self.held.fencing_token > 1:  # not `attempts`: one that was stopped on purpose is not counted
            self._remove_leftovers()
        validator = Validator(self.held.schema_version, _received_at(self.context, self.held))
        reader = self._open(spool)
        for received, verdict in read_ahead((chunk.received, validator.validate(chunk)) for chunk in reader):
            self.columns = reader.columns
            self._store(verdict, derivation)
            self.received += received
        self.columns = reader.columns
        if self.rejected and self.held.on_error is OnError.ABORT:
            raise RejectedRecords(f"{self.rejected} of {self.received} records were rejected, and on_error is abort.")
        if not self.count:
            raise NoValidRecord(f"{self.received} of {self.received} records were rejected.")

    def outcome(self) -> dict[str, object]:
        """Return what the run has counted, as columns of the ledger."""
        self.warning_counts.update(self.columns.warning_counts if self.columns else {})
        return {
            "received": self.received,
            "rejected": self.rejected,
            "error_counts": dict(self.error_counts),
            "warning_counts": dict(self.warning_counts),
            "ignored_columns": self.columns.ignored if self.columns else [],
            "column_mapping": self.columns.mapping if self.columns else {},
        }

    def fail(self, problem: GlyphdError) -> None:
        """Write the import failed, with what was counted until then; a worker removes its rows later."""
        try:
            with self.context.database.writing() as work:
                imports.update_running(work.connection, self.held, self.outcome())
                _write_failure(self.context, work, self.held, problem)
                work.commit()
        except GlyphdError as exc:  # the store itself is the trouble: the lease lapses and the import is tried again
            _log.error("import.failure_not_written", import_id=self.held.import_id, code=exc.code, detail=exc.detail)

    def _open(self, spool: Path) -> RecordReader:
        with self.context.database.reading() as connection:
            stored = artifacts.artifacts_of(connection, self.held.import_id)
        files = [
            SubmittedFile(self.context.artifacts.verified(each.sha256), each.media_type, each.filename, each.role)
            for each in stored
        ]
        schema_version, limits = self.held.schema_version, self.context.limits
        return open_submitted(files, schema_version=schema_version, limits=limits, spool=spool)

    def _remove_leftovers(self) -> None:
        """Delete what a dead predecessor wrote, step by step under this worker's own token."""
        for work in remove_rows(self.context, self.held.import_id, with_rejections=True):
            imports.update_running(work.connection, self.held, self._renewal())

    def _store(self, verdict: Verdict, derivation: Derivation) -> None:
        accepted = verdict.accepted
        if self.held.on_error is OnError.ABORT and (self.rejected or verdict.rejections):
            accepted = accepted.clear()  # all or nothing: from the first rejection on, only rejections are kept
        for some_rows, some_rejections in _steps(
            accepted, verdict.rejections, self.context.database.step_rows.listings
        ):
            with self.context.database.writing(durable=False) as work:
                self._write(work, some_rows, some_rejections)
                work.commit()
            self.context.database.give_way()
        derivation.add(accepted)
        self.error_counts.update(verdict.error_counts)
        self.warning_counts.update(verdict.warning_counts)

    def _write(self, work: UnitOfWork, accepted: pl.DataFrame, rejected: list[Rejection]) -> None:
        import_id, now = self.held.import_id, self.context.clock()
        self.count += len(accepted)
        self.rejected += len(rejected)
        imports.update_running(work.connection, self.held, self._renewal())
        if len(accepted):
            rows.insert_new_models(work, import_id, accepted, self.known_models, now)
            rows.append_listings(work, import_id, accepted, now)
        rejections.append_rejections(work, import_id, rejected)

    def _renewal(self) -> dict[str, object]:
        return {
            "lease_expires_at": self.context.clock() + self.context.lease,
            "records_done": self.count + self.rejected,
        }


def _steps(
    accepted: pl.DataFrame, rejected: list[Rejection], size: int
) -> Iterator[tuple[pl.DataFrame, list[Rejection]]]:
    """Split a verdict into what one short transaction takes."""
    for start in range(0, max(len(accepted), len(rejected)), size):
        yield accepted.slice(start, size), rejected[start : start + size]


def _write_failure(context: Context, work: UnitOfWork, entry: Import, problem: GlyphdError) -> None:
    now = context.clock()
    failure = {"code": problem.code, "title": problem.title(), "detail": problem.detail, **problem.members}
    values = {
        "status": Status.FAILED,
        "failure": failure,
        "count": 0,
        "completed_at": now,
        "lease_expires_at": None,
        "rows_to_remove": True,
    }
    imports.update_import(work.connection, entry.import_id, values)
    cause = "file" if isinstance(problem, FileFault) else "service"
    details = {"code": problem.code, "cause": cause}
    events.add_event(
        work.connection, entry.import_id, now, entry.worker or "worker", "failed", Status.FAILED, details=details
    )
