"""The disk below the artifact store: what is durable there, and what its errors mean."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from glyphd.errors import NoSpaceLeft, StoreUnavailable


def fsync_folder(folder: Path) -> None:
    """Make what a folder lists durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def full_disk() -> Iterator[None]:
    """Say that the disk is full, and let other errors pass. Raises NoSpaceLeft."""
    try:
        yield
    except OSError as exc:
        if exc.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise NoSpaceLeft("The artifact store is full.") from exc
        raise


@contextmanager
def disk_errors() -> Iterator[None]:
    """Say in our words what the disk answered. Raises NoSpaceLeft, StoreUnavailable."""
    try:
        with full_disk():
            yield
    except OSError as exc:
        raise StoreUnavailable(f"The artifact store answered: {exc}.") from exc
