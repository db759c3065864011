"""How commands speak: tables for people, JSON for programs, one line for a failure, and the exit codes."""

import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from enum import IntEnum
from typing import Annotated, Any

import msgspec
import typer
from rich.console import Console
from rich.table import Table

from glyphd.errors import GlyphdError, StoreUnavailable

console = Console()
errors = Console(stderr=True)

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
        errors.print(f"[bold red]{exc.title()}[/]: {exc.detail}", highlight=False, soft_wrap=True)
        code = ExitCode.UNREACHABLE if isinstance(exc, StoreUnavailable) else ExitCode.FAILED
        raise typer.Exit(code) from exc


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
        table.add_column(name, justify="right" if first[:1].isdigit() and "-" not in first else "left", overflow="fold")
    for row in shown:
        table.add_row(*row)
    console.print(table, highlight=False)


def _cell(value: Any) -> str:
    if value is None:
        return "–"
    return f"{value:,}".replace(",", " ") if isinstance(value, int) else plain(str(value))


def plain(text: str) -> str:
    """Escape rich's markup and what a terminal would act on: the text is from files."""
    return "".join(character if character.isprintable() else "�" for character in text).replace("[", r"\[")
