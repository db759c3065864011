"""The bar of `glyphd import` on a terminal: bytes of how many, records, rate and the time that is left."""

import io
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from glyphd.cli import progress
from glyphd.domain.imports import Status
from glyphd.domain.progress import Progress
from glyphd.domain.report import ImportReport
from glyphd.services.context import Context
from glyphd.settings import Settings
from glyphd.store.database import Database
from tests.integration.cli.conftest import Glyphd
from tests.serving import serving, working

MIB = 1024 * 1024
RUNNING = Progress(
    records_done=12_000,
    bytes_done=3 * MIB // 2,
    bytes_total=6 * MIB,
    records_per_second=4_000.4,
    eta_seconds=75,
    waiting_before=None,
    attempts=1,
    started_at=None,
)
NOTHING_YET = replace(RUNNING, records_done=0, bytes_done=0, records_per_second=None, eta_seconds=None)
QUEUED = replace(NOTHING_YET, waiting_before=2)


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    """A terminal of 80 columns, as what was written to it."""
    written = io.StringIO()
    monkeypatch.setattr(progress, "errors", Console(file=written, force_terminal=True, width=80, color_system=None))
    return written


def report_of(status: Status, figures: Progress | None) -> ImportReport:
    """Return a report in which nothing else is told."""
    told: dict[str, Any] = dict.fromkeys(ImportReport.__dataclass_fields__)
    return ImportReport(**{**told, "status": status, "progress": figures})


@pytest.mark.parametrize(
    ("status", "figures", "expected"),
    [
        (Status.RUNNING, RUNNING, "1.5 MiB of 6.0 MiB, 12,000 records, 4,000/s, 0:01:15 left"),
        (Status.RUNNING, replace(RUNNING, bytes_total=None, eta_seconds=None), "1.5 MiB, 12,000 records, 4,000/s"),
        (Status.RUNNING, NOTHING_YET, "running"),
        (Status.RECEIVED, QUEUED, "received, 2 before it"),
    ],
    ids=["all figures", "no total", "no record yet", "in the queue"],
)
def test_a_report_is_shown_with_its_figures(
    terminal: io.StringIO, status: Status, figures: Progress, expected: str
) -> None:
    """On one line of 80 columns, under the file's name; what nobody knows is left out."""
    with progress.shown("scored_sample.csv") as bar:
        bar.reported(report_of(status, figures))
        bar.reported(report_of(Status.PUBLISHED, None))

    lines = [line for line in terminal.getvalue().splitlines() if expected in line]
    assert lines
    assert "scored_sample.csv" in lines[-1]
    assert lines[-1].rstrip().endswith(expected)


def test_an_upload_is_shown_by_its_bytes(terminal: io.StringIO) -> None:
    """How many of how many; only how many, when the file is a pipe."""
    with progress.shown("a" * 30) as bar:
        bar.sent(512, 6 * MIB)
    with progress.shown("[red]b") as bar:
        bar.sent(512, None)

    assert "512 B of 6.0 MiB sent" in terminal.getvalue()
    assert f"{'a' * 19}… " in terminal.getvalue()
    assert "[red]b" in terminal.getvalue()
    assert "512 B sent" in terminal.getvalue()


def test_nothing_is_shown_where_no_person_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file or a pipe is no terminal."""
    written = io.StringIO()
    monkeypatch.setattr(progress, "errors", Console(file=written))
    with progress.shown("a") as bar:
        bar.sent(1, 2)
    assert "" == written.getvalue().strip()


@contextmanager
def _served(settings: Settings, context: Context) -> Iterator[list[str]]:
    with serving(settings, context) as client, working(context):
        yield ["--url", str(client.base_url)]


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """Set when the bar was told of records; an import goes on after its first step only then."""
    told = threading.Event()
    shown, give_way = progress.ProgressBar.reported, Database.give_way

    def reported(bar: progress.ProgressBar, report: ImportReport) -> None:
        shown(bar, report)
        if report.progress and report.progress.records_done:
            told.set()

    def go_on_when_told(database: Database) -> None:
        assert told.wait(30)
        give_way(database)

    monkeypatch.setattr(progress.ProgressBar, "reported", reported)
    monkeypatch.setattr(Database, "give_way", go_on_when_told)
    return told


@pytest.mark.parametrize("where", ["here", "on a server"])
@pytest.mark.usefixtures("told")
def test_an_import_that_runs_is_watched(
    glyphd: Glyphd,
    terminal: io.StringIO,
    make_csv: Callable[..., Path],
    make_settings: Callable[..., Settings],
    context: Context,
    where: str,
) -> None:
    """Its bytes and records are shown while it runs."""
    file = make_csv(*[{}] * 500)
    place: Any = nullcontext([]) if where == "here" else _served(make_settings(), context)
    with place as options:
        ran = glyphd(*options, "import", file)

    assert 0 == ran.exit_code, ran.stderr
    assert "500 stored" in ran.stdout
    size = f"{file.stat().st_size / 1024:.1f} KiB"
    assert f"{size} of {size}, 500 records, " in terminal.getvalue()
