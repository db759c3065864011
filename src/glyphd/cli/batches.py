"""What `glyphd import` and `glyphd validate` have in common: batches one after the other, and the worst outcome."""

from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from glyphd.cli.installation import Watcher
from glyphd.cli.output import ExitCode, console, exit_code_of, plain, print_failure
from glyphd.cli.progress import shown
from glyphd.domain.report import RecordError
from glyphd.errors import GlyphdError

T = TypeVar("T")

_SHOWN_ERRORS = 10
_WORST_FIRST = (ExitCode.UNREACHABLE, ExitCode.FAILED, ExitCode.PARTIAL, ExitCode.OK)


def run_all(runs: Iterable[tuple[str, Callable[[Watcher], T]]], tell: Callable[[str, T], ExitCode]) -> ExitCode:
    """Run batches whatever becomes of those before them, unless nothing can be reached; return the worst outcome."""
    codes = set()
    for name, run in runs:
        codes.add(run_one(name, run, tell))
        if ExitCode.UNREACHABLE in codes:
            break
    return next(code for code in _WORST_FIRST if code in codes)


def run_one(name: str, run: Callable[[Watcher], T], tell: Callable[[str, T], ExitCode]) -> ExitCode:
    """Run one batch and tell what became of it; a failure is told too."""
    try:
        with shown(name) as bar:
            report = run(bar)
    except GlyphdError as exc:
        print_failure(f"{name}: {exc.title()}", exc.detail)
        return exit_code_of(exc)
    return tell(name, report)


def tell_errors(found: Sequence[RecordError]) -> bool:
    """Print the first of what is wrong with records; return whether that was all."""
    for error in found[:_SHOWN_ERRORS]:
        console.print(f"  record {error.import_index}: {plain(error.message)} ({error.code})", highlight=False)
    return len(found) <= _SHOWN_ERRORS
