"""How far an import has come, on a terminal: its bytes on the way, then its records."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from glyphd.cli.output import errors, plain
from glyphd.domain.findings import spoken_bytes
from glyphd.domain.report import ImportReport


class ProgressBar:
    """One line; nothing where no person looks."""

    def __init__(self, bar: Progress, task: TaskID) -> None:
        """Show it in a task of a display."""
        self._bar, self._task = bar, task

    def sent(self, done: int, total: int | None) -> None:
        """Show how many bytes are on their way."""
        said = f"{spoken_bytes(done)} sent"
        self._bar.update(self._task, completed=done, total=total, said=said)

    def reported(self, report: ImportReport) -> None:
        """Show how many records are done."""
        if progress := report.progress:
            said = f"{progress.records_done:,} records" if progress.records_done else f"{report.status}"
            self._bar.update(self._task, completed=0, total=None, said=said)


@contextmanager
def shown(name: str) -> Iterator[ProgressBar]:
    """Show a bar under a name until the block ends."""
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[said]}"), TimeElapsedColumn())
    with Progress(*columns, console=errors, transient=True, disable=not errors.is_terminal) as bar:
        yield ProgressBar(bar, bar.add_task(plain(name), total=None, said=""))
