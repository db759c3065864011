"""A full disk: a clear failure, nothing half-visible, and everything goes on once there is space."""

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from glyphd.bootstrap import build_context
from glyphd.domain.imports import Status
from glyphd.errors import NoSpaceLeft
from glyphd.services.browsing import ListingQuery, browse_listings
from glyphd.services.cleaning import clean_next
from glyphd.services.context import Context
from glyphd.services.reporting import report_import
from glyphd.services.running import run_next
from glyphd.services.surveying import survey_models
from glyphd.settings import Settings
from glyphd.store import schema
from tests.reliability.batches import Batch
from tests.reliability.dying import later
from tests.reliability.ledger import check_installation, submit

_SMALL, _BIG = Batch("small", 100), Batch("big", 60_000)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 28 MB."""
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=28m", "tmpfs", tmp_path], capture_output=True, text=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"a small disk cannot be mounted here: {mounted.stderr.strip()}")
    yield tmp_path
    subprocess.run(["umount", tmp_path], check=True)


@pytest.fixture
def context_on_small_disk(small_disk: Path) -> Iterator[Context]:
    """An installation on the small disk."""
    context = build_context(Settings(database_url=f"sqlite:///{small_disk}/glyphd.sqlite"))
    schema.upgrade(context.database.engine)
    yield context
    context.database.dispose()


def test_an_import_that_fills_the_disk_fails_and_the_next_one_succeeds(context_on_small_disk: Context) -> None:
    """It is `failed` with `no_space_left`, reads go on, and with space again its rows go and imports are taken."""
    context = context_on_small_disk
    ballast = context.database.path.with_name("ballast")
    ballast.write_bytes(bytes(16 << 20))
    small, big = submit(context, _SMALL), submit(context, _BIG)
    run_next(context, "worker")
    run_next(context, "worker")
    _check_only_small_shows(context)
    ballast.unlink()
    _go_on(context)
    assert Status.PUBLISHED is report_import(context, small).status
    report = report_import(context, big)
    assert (Status.FAILED, "no_space_left") == (report.status, (report.failure or {})["code"])
    after = Batch("after", 1_000)
    submit(context, after)
    _go_on(context)
    check_installation(context, [_SMALL, _BIG, after])


def test_a_submission_that_does_not_fit_is_refused_and_leaves_nothing(context_on_small_disk: Context) -> None:
    """Neither an import nor a file stays of it; with space again the same submission is taken."""
    context = context_on_small_disk
    ballast = context.database.path.with_name("ballast")
    _fill(ballast)
    with pytest.raises(NoSpaceLeft):
        submit(context, _BIG)
    assert [] == list((ballast.parent / "artifacts" / "incoming").glob("*"))
    ballast.unlink()
    submit(context, _SMALL)
    _go_on(context)
    check_installation(context, [_SMALL])


def test_a_database_that_may_not_grow_fails_the_import(make_context: Callable[..., Context]) -> None:
    """The same without a disk of its own: SQLite's page limit stands for the disk's end."""
    context = make_context()
    small = submit(context, _SMALL)
    big = submit(context, _BIG)
    run_next(context, "worker")
    context.database.dispose()
    event.listen(context.database.engine, "connect", _stop_growing)
    run_next(context, "worker")
    _check_only_small_shows(context)
    report = report_import(context, big)
    assert (Status.FAILED, "no_space_left") == (report.status, (report.failure or {})["code"])
    assert Status.PUBLISHED is report_import(context, small).status
    _go_on(context)
    check_installation(context, [_SMALL, _BIG])


def _stop_growing(connection: Any, _record: Any) -> None:
    pages = connection.execute("PRAGMA page_count").fetchone()[0]
    connection.execute(f"PRAGMA max_page_count = {pages + 200}")


def _fill(ballast: Path) -> None:
    with ballast.open("wb", buffering=0) as file:
        try:
            while file.write(bytes(1 << 16)):
                pass
        except OSError:
            pass


def _go_on(context: Context) -> None:
    """Do all the work that waits, leases run out."""
    while run_next(later(context), "worker") or clean_next(context):
        pass


def _check_only_small_shows(context: Context) -> None:
    models = {summary.model: summary.listing_count for summary in survey_models(context, limit=1000)}
    assert _SMALL.model_counts == models
    page = browse_listings(context, ListingQuery(), limit=1000)
    assert [row[0] for row in _SMALL.rows] == [row["import_index"] for row in page.items]
