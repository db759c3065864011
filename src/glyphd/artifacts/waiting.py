"""Bytes that wait for a word: a folder in the scratch space of the artifact store, which all processes see.

It goes a day after it was last written to, with all that nobody finished.
"""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from glyphd.artifacts.disk import disk_errors

_NOTE = "note.json"


class WaitingFolder:
    """The bytes of one upload, in any layout, and a note of what they are."""

    def __init__(self, location: Path) -> None:
        """Name the folder."""
        self.location = location

    def create(self) -> None:
        """Make the folder. Raises NoSpaceLeft, StoreUnavailable."""
        with disk_errors():
            self.location.mkdir(parents=True)

    def write_note(self, note: bytes) -> None:
        """Put a note there, whole, in the place of the one before. Raises NoSpaceLeft, StoreUnavailable."""
        with disk_errors():
            written = self.location / "note.written"
            written.write_bytes(note)
            written.replace(self.location / _NOTE)

    def read_note(self) -> bytes | None:
        """Return the note; None when nothing waits here, or not yet. Raises StoreUnavailable."""
        with disk_errors():
            note = self.location / _NOTE
            return note.read_bytes() if note.is_file() else None

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Hold the folder, if there is one: whoever else asks for it, in any process, waits."""
        if not self.location.is_dir():
            yield
            return
        with disk_errors():
            descriptor = os.open(self.location, os.O_RDONLY)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def forget_bytes(self) -> None:
        """Remove all but the note."""
        with disk_errors():
            for each in self.location.iterdir():
                if each.is_dir():
                    shutil.rmtree(each, ignore_errors=True)

    def remove(self) -> None:
        """Remove it; nobody sees a part of it."""
        with disk_errors():
            (self.location / _NOTE).unlink(missing_ok=True)
        shutil.rmtree(self.location, ignore_errors=True)
