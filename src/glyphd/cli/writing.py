"""What commands write to a file, or to standard output."""

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

OutputFile = Annotated[
    Path | None, typer.Option("--output", "-o", metavar="FILE", help="Write there, not to standard output.")
]


def write_output(portions: Iterable[bytes], file: Path | None = None) -> None:
    """Write bytes as they come."""
    if file is None:
        for portion in portions:
            sys.stdout.buffer.write(portion)
        sys.stdout.buffer.flush()
        return
    try:
        with file.open("wb") as opened:
            opened.writelines(portions)
    except OSError as exc:
        raise typer.BadParameter(f"{file} cannot be written: {exc.strerror}.", param_hint="--output") from exc
