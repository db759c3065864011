"""How commands speak: tables for people, JSON for programs, one line for a failure, and the exit codes."""

import getpass
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from enum import IntEnum
from typing import Annotated, Any

import msgspec
import typer
from pydantic import ValidationError
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from glyphd.errors import GlyphdError, ServerUnreachable, StoreUnavailable
from glyphd.settings import Settings

console = Console()
errors = Console(stderr=True)

_PIPED_WIDTH = 10_000  # one line a row where no person looks

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for programs to read.")]


class ExitCode(IntEnum):
    """What a command's exit code means."""

    OK = 0
    FAILED = 1
    USAGE = 2
    PARTIAL = 3
    UNREACHABLE = 4


@contextmanager
def failures_reported() -> Iterator[None]:
    """Turn a failure into one line on standard error and an exit code."""
    try:
        yield
    except GlyphdError as exc:
        print_failure(exc.title(), exc.detail)
        raise typer.Exit(exit_code_of(exc)) from exc


def exit_code_of(exc: GlyphdError) -> ExitCode:
    """Return the exit code of a failure."""
    return ExitCode.UNREACHABLE if isinstance(exc, StoreUnavailable | ServerUnreachable) else ExitCode.FAILED


def print_failure(title: str, detail: str) -> None:
    """Print one line on standard error."""
    errors.print(f"[bold red]{plain(title)}[/]: {plain(detail)}", highlight=False, soft_wrap=True)


def read_settings(**given: Any) -> Settings:
    """Read the settings, options that were given winning over them; a wrong one is a wrong usage."""
    try:
        return Settings(**{name: value for name, value in given.items() if value is not None})
    except ValidationError as exc:
        faults = [f"GLYPHD_{'.'.join(map(str, fault['loc'])).upper()}: {fault['msg']}" for fault in exc.errors()]
        print_failure("A setting has a value that is not accepted", "; ".join(faults))
    except (ValueError, OSError) as exc:
        print_failure("The settings cannot be read", str(exc))
    raise typer.Exit(ExitCode.USAGE)


def whoever() -> str:
    """Return who runs the command, for the audit trail; a container's user need not have a name."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"


def print_json(value: Any) -> None:
    """Print one JSON document on one line."""
    sys.stdout.buffer.write(msgspec.json.encode(value) + b"\n")
    sys.stdout.buffer.flush()


def print_table(columns: Sequence[str], rows: Iterable[Sequence[Any]], *, empty: str) -> None:
    """Print a table, or a sentence when there is nothing to show; numbers are right-aligned and grouped."""
    shown = [[_cell(value) for value in row] for row in rows]
    if not shown:
        console.print(empty)
        return
    table = Table(box=None, header_style="bold", pad_edge=False)
    for name, first in zip(columns, shown[0], strict=True):
        number = first[:1].isdigit() and "-" not in first
        table.add_column(name, justify="right" if number else "left", overflow="fold", no_wrap=name == "import_id")
    for row in shown:
        table.add_row(*row)
    (console if console.is_terminal else Console(width=_PIPED_WIDTH)).print(table, highlight=False)


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    return f"{value:,}".replace(",", " ") if isinstance(value, int) else plain(str(value))


def plain(text: str) -> str:
    """Escape rich's markup and what a terminal would act on: the text is from files."""
    return escape("".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text))
