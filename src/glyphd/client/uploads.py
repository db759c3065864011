"""Files on their way to a server: read as they are sent, rewound when they are sent again."""

import io
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, BinaryIO

Submittable = str | os.PathLike[str] | bytes | BinaryIO
"""A file by its path, its content, or one that is open: that is read from where it stands."""

OnSent = Callable[[int, int | None], None]
"""Told how many bytes were sent, and of how many in all; None when that is not known."""

_MEDIA_TYPE = "application/octet-stream"  # what a file holds is told by its name and content


class Uploads:
    """The files of one batch, each under the name of its form field."""

    def __init__(self, files: Mapping[str, tuple[BinaryIO, str]], on_sent: OnSent | None) -> None:
        self._sent: dict[str, int] = {}
        self._on_sent = on_sent
        self._files = {name: (_Counted(file, self._counter(name)), shown) for name, (file, shown) in files.items()}
        sizes = [file.size() for file, _ in self._files.values()]
        self.repeatable = None not in sizes
        self._total = sum(size for size in sizes if size is not None) if self.repeatable else None

    def form(self) -> dict[str, Any]:
        """Return the files as httpx takes them."""
        return {name: (shown, file, _MEDIA_TYPE) for name, (file, shown) in self._files.items()}

    def _counter(self, name: str) -> Callable[[int], None]:
        def count(sent: int) -> None:
            self._sent[name] = sent
            if self._on_sent:
                self._on_sent(sum(self._sent.values()), self._total)

        return count


class _Counted(io.RawIOBase):
    """A file that tells how far it was read. It has no file number: that of a pipe has a size of 0 (httpx asks)."""

    def __init__(self, file: BinaryIO, on_read: Callable[[int], None]) -> None:
        self._file, self._on_read = file, on_read
        self._start = file.tell() if file.seekable() else 0
        self._read = 0

    def read(self, size: int = -1) -> bytes:
        portion = self._file.read(size)
        self._read += len(portion)
        if portion:
            self._on_read(self._read)
        return portion

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        if whence == os.SEEK_SET:
            offset += self._start
        at = self._file.seek(offset, whence) - self._start
        self._read = at
        return at

    def tell(self) -> int:
        return self._file.tell() - self._start

    def size(self) -> int | None:
        """Return how many bytes it has; None if it cannot be read again."""
        if not self._file.seekable():
            return None
        size = self.seek(0, os.SEEK_END)
        self.seek(0)
        return size


@contextmanager
def opened(
    files: Mapping[str, Submittable], *, filename: str | None = None, on_sent: OnSent | None = None
) -> Iterator[Uploads]:
    """Open what is given by path until the block ends; ``filename`` is what the first is called."""
    with ExitStack() as stack:
        found: dict[str, tuple[BinaryIO, str]] = {}
        for name, given in files.items():
            file, shown = _open(stack, given)
            found[name] = file, _shown(filename if filename and not found else shown)
        yield Uploads(found, on_sent)


def _open(stack: ExitStack, given: Submittable) -> tuple[BinaryIO, str]:
    if isinstance(given, bytes | bytearray | memoryview):
        return io.BytesIO(given), "batch"
    if isinstance(given, str | os.PathLike):
        return stack.enter_context(Path(given).open("rb")), Path(given).name
    return given, Path(str(getattr(given, "name", "batch"))).name


def _shown(name: str) -> str:
    """Return a name without what no header can carry."""
    return "".join(character for character in name if character.isprintable()) or "batch"
