"""What commands write: to standard output, or to a file, whole or not at all."""

import os
import sys
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Annotated

import typer

from glyphd.artifacts.disk import fsync_folder
from glyphd.errors import MalformedRequest

OutputFile = Annotated[
    Path | None,
    typer.Option(
        "--output",
        "-o",
        metavar="FILE",
        dir_okay=False,
        help="Write it there, whole or not at all; else to standard output.",
    ),
]


def write_output(portions: Iterable[bytes], file: Path | None = None) -> None:
    """Write bytes as they come. Raises MalformedRequest when the file cannot be written."""
    if file is None:
        sys.stdout.buffer.writelines(portions)
        sys.stdout.buffer.flush()
        return
    try:
        write_whole(portions, file)
    except OSError as exc:
        raise MalformedRequest(f"{file} cannot be written: {exc.strerror}.") from exc


def write_whole(portions: Iterable[bytes], target: Path, holds: Callable[[Path], bool] = lambda _: True) -> bool:
    """Write a file under another name beside its place, and move it there once it is whole and on the disk.

    Unless it does not hold what it should: then it is removed, and the answer is False.
    """
    with tempfile.NamedTemporaryFile(dir=target.parent, prefix=f".{target.name}-", delete=False) as file:
        written = Path(file.name)
        try:
            file.writelines(portions)
            file.flush()
            os.fsync(file.fileno())
            if not holds(written):
                return False
            written.replace(target)
            fsync_folder(target.parent)
        finally:
            written.unlink(missing_ok=True)
    return True
