"""How far an import has come, on a terminal: its bytes on the way, then its records."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from rich.progress import BarColumn
from rich.progress import Progress as Display
from rich.progress import TaskID, TextColumn

from glyphd.cli.output import errors, plain
from glyphd.domain.findings import spoken_bytes
from glyphd.domain.imports import Status
from glyphd.domain.progress import Progress
from glyphd.domain.report import ImportReport

_LONGEST_NAME = 20  # beside it the figures have room on a terminal of 80 columns


class ProgressBar:
    """One line; nothing where no person looks."""

    def __init__(self, bar: Display, task: TaskID) -> None:
        """Show it in a task of a display."""
        self._bar, self._task = bar, task

    def sent(self, done: int, total: int | None) -> None:
        """Show how many bytes are on their way."""
        self._bar.update(self._task, completed=done, total=total, said=f"{_of(done, total)} sent")

    def reported(self, report: ImportReport) -> None:
        """Show how many records are done."""
        if progress := report.progress:
            said = _said(report.status, progress)
            self._bar.update(self._task, completed=progress.bytes_done, total=progress.bytes_total, said=said)


def _said(status: Status, progress: Progress) -> str:
    """Return the figures of an import in words: what is done, how fast, and how long it still takes."""
    if not progress.records_done:
        return f"{status}, {progress.waiting_before} before it" if progress.waiting_before else f"{status}"
    said = [_of(progress.bytes_done, progress.bytes_total), f"{progress.records_done:,} records"]
    if progress.records_per_second:
        said.append(f"{progress.records_per_second:,.0f}/s")
    if progress.eta_seconds is not None:
        said.append(f"{timedelta(seconds=progress.eta_seconds)} left")
    return ", ".join(said)


def _of(done: int, total: int | None) -> str:
    return f"{spoken_bytes(done)} of {spoken_bytes(total)}" if total is not None else spoken_bytes(done)


@contextmanager
def shown(name: str) -> Iterator[ProgressBar]:
    """Show a bar under a name until the block ends."""
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[said]}"))
    short = name if len(name) <= _LONGEST_NAME else f"{name[: _LONGEST_NAME - 1]}…"
    with Display(*columns, console=errors, transient=True, disable=not errors.is_terminal) as bar:
        yield ProgressBar(bar, bar.add_task(plain(short), total=None, said=""))
