"""Receiving: the ledger's side of it."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from glyphd.domain.imports import Status
from glyphd.domain.report import Progress
from glyphd.errors import MalformedRequest, QueueFull, UnsupportedFormat
from glyphd.services.context import Context
from glyphd.services.discarding import discard_import
from glyphd.services.inspecting import inspect_events
from glyphd.services.options import ImportOptions
from glyphd.services.receiving import check_queue, receive_import, store_file
from glyphd.services.reporting import report_import
from glyphd.services.running import run_next
from glyphd.settings import Settings

_CRAWL = datetime(2026, 7, 1, tzinfo=UTC)


def test_a_receipt_keeps_what_the_client_said(context: Context, make_csv: Callable[..., Path]) -> None:
    """Options, artifact and request are on the ledger before any worker has seen the import."""
    artifact = store_file(context, make_csv({}))
    options = ImportOptions("s", "c", {"k": [1]}, _CRAWL, schema_version="v1.0")
    import_id = receive_import(context, options, [artifact], "me", "request-1")
    report = report_import(context, import_id)
    assert (Status.RECEIVED, "s", "c", {"k": [1]}) == (
        report.status,
        report.source,
        report.campaign_id,
        report.metadata,
    )
    assert (_CRAWL, "v1.0", [artifact]) == (report.observed_at, report.schema_version, report.artifacts)
    assert Progress(0, 0, None) == report.progress
    (event,) = inspect_events(context, import_id, limit=10)
    assert ("me", "received", {"request_id": "request-1"}) == (event.actor, event.action, event.details)


def test_without_a_time_of_its_own_a_crawl_is_of_now(context: Context, receive: Callable[..., str]) -> None:
    """observed_at is the time of receipt."""
    report = report_import(context, receive("x\n"))
    assert report.imported_at == report.observed_at


def test_versions_of_a_source_are_its_own(context: Context, receive: Callable[..., str]) -> None:
    """Each source counts from 1; a failed import keeps its number."""
    ids = [receive("x\n", source=source) for source in ("a", "b", "a")]
    run_next(context, "worker")
    ids.append(receive("x\n", source="a"))
    assert [1, 1, 2, 3] == [report_import(context, import_id).source_version for import_id in ids]


def test_batches_of_the_field_without_a_source_are_the_defaults(
    context: Context,
    receive: Callable[..., str],
    publish: Callable[..., str],
    make_lines: Callable[..., str],
    execute: Callable[..., list[Any]],
) -> None:
    """The chain of the default source goes on where theirs ends, and they are found as duplicates and predecessors."""
    old = publish(make_lines(1))
    execute("UPDATE import_batches SET source = NULL, source_version = 7 WHERE import_id = :id", id=old)
    report = report_import(context, publish(make_lines(1)))
    assert (8, old, old) == (report.source_version, report.previous_import_id, report.duplicate_of)


def test_a_full_queue_is_said(make_context: Callable[..., Context], make_csv: Callable[..., Path]) -> None:
    """Only imports that no worker has begun wait in it."""
    context = make_context(max_queue=2)
    for _ in range(2):
        check_queue(context)
        last = receive_import(context, ImportOptions(), [store_file(context, make_csv({}))], "test")
    with pytest.raises(QueueFull):
        check_queue(context)
    discard_import(context, last, "test")
    check_queue(context)


def test_a_file_that_cannot_be_read_is_refused(
    context: Context, make_settings: Callable[..., Settings], tmp_path: Path
) -> None:
    """Neither a missing file nor one in an unknown format leaves anything behind."""
    with pytest.raises(MalformedRequest):
        store_file(context, tmp_path / "missing.csv")
    (tmp_path / "table.parquet").write_bytes(b"PAR1")
    with pytest.raises(UnsupportedFormat):
        store_file(context, tmp_path / "table.parquet")
    artifacts = make_settings().artifacts_folder
    assert [] == [path for path in artifacts.rglob("*") if path.is_file()]
