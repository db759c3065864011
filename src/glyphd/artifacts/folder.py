"""A content-addressed folder. What is committed survives power loss: the file and its folder are fsynced (measured: the
local store of obstore renames without fsync)."""

import hashlib
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from glyphd.artifacts.disk import disk_errors, fsync_folder, full_disk
from glyphd.artifacts.waiting import WaitingFolder
from glyphd.errors import ArtifactDamaged, StoreUnavailable

STALE_SECONDS = 24 * 3600


@dataclass(frozen=True, slots=True)
class StoredBytes:
    """What was committed: SHA-256 in hex, and the length in bytes."""

    sha256: str
    bytes: int


class ArtifactWriter:
    """Takes the bytes of one submission as they come, and hashes them on the way."""

    def __init__(self, folder: Path, held: Path | None = None) -> None:
        """Open a file in the folder's `incoming`. Raises NoSpaceLeft, StoreUnavailable.

        ``held``: where what is committed is linked as well.
        """
        self._folder = folder
        self._held = held
        self._digest = hashlib.sha256()
        self.bytes = 0
        with disk_errors():
            incoming = folder / "incoming"
            incoming.mkdir(parents=True, exist_ok=True)
            descriptor, name = tempfile.mkstemp(dir=incoming)
            self.path = Path(name)
            self._file = os.fdopen(descriptor, "wb")

    def write(self, chunk: bytes) -> None:
        """Append a chunk."""
        with disk_errors():
            self._file.write(chunk)
        self._digest.update(chunk)
        self.bytes += len(chunk)

    @property
    def sha256(self) -> str:
        """The digest of what has been written so far."""
        return self._digest.hexdigest()

    def flush(self) -> None:
        """Make everything written so far readable under :attr:`path`."""
        with disk_errors():
            self._file.flush()

    def commit(self) -> StoredBytes:
        """Move the bytes under their digest, durably. The same bytes are stored once."""
        sha256 = self.sha256
        target = path_of(self._folder, sha256)
        with disk_errors():
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
            if self._held:
                with suppress(OSError):  # the same bytes twice; or a disk without links, where put_back refuses
                    (self._held / sha256).hardlink_to(self.path)
            target.parent.mkdir(parents=True, exist_ok=True)
            self.path.replace(target)
            for folder in (target.parent, self._folder, self._folder.parent):
                fsync_folder(folder)
        return StoredBytes(sha256, self.bytes)

    def abandon(self) -> None:
        """Forget the bytes. Does nothing after a commit."""
        with suppress(OSError):  # closing flushes, which fails again on a full disk; the file goes anyway
            self._file.close()
        self.path.unlink(missing_ok=True)


class ArtifactFolder:
    """The artifact store in a local folder."""

    def __init__(self, folder: Path, held: Path | None = None) -> None:
        """Name the folder; it is created on first use. ``held``: see :meth:`holding`."""
        self._folder = folder
        self._held = held

    @property
    def location(self) -> Path:
        """The folder, whether it exists or not."""
        return self._folder

    @contextmanager
    def writing(self) -> Iterator[ArtifactWriter]:
        """Take one submission; without :meth:`ArtifactWriter.commit` nothing stays."""
        writer = ArtifactWriter(self._folder, self._held)
        try:
            yield writer
        finally:
            writer.abandon()

    @contextmanager
    def holding(self) -> Iterator["ArtifactFolder"]:
        """The same store; what is committed through it can be put back until the end. Raises NoSpaceLeft."""
        with self.scratch() as held:
            yield ArtifactFolder(self._folder, held)

    def put_back(self, sha256: str) -> None:
        """See to it that bytes which were just committed are there: another import's purge may have removed them.

        Raises StoreUnavailable when they are gone and not held: they must be sent again.
        """
        target = path_of(self._folder, sha256)
        if target.is_file():
            return
        try:
            target.hardlink_to((self._held or self._folder) / sha256)
            fsync_folder(target.parent)
        except FileExistsError:  # another upload of the same bytes was quicker
            return
        except OSError as exc:
            raise StoreUnavailable(f"The artifact {sha256} was purged while it was received: send it again.") from exc

    def remove(self, sha256: str) -> None:
        """Remove the bytes of a digest, durably; whoever does so must know that nobody names them."""
        path = path_of(self._folder, sha256)
        with disk_errors():
            path.unlink(missing_ok=True)
            if path.parent.is_dir():
                fsync_folder(path.parent)

    def has(self, sha256: str) -> bool:
        """Tell whether the file of a digest is there."""
        return path_of(self._folder, sha256).is_file()

    def locate(self, sha256: str) -> Path:
        """Return the file of a digest. Raises ArtifactDamaged when it is not there."""
        path = path_of(self._folder, sha256)
        if not path.is_file():
            raise ArtifactDamaged(f"The artifact {sha256} is missing from the artifact store.")
        return path

    def size_of(self, sha256: str) -> int | None:
        """Return how many bytes are kept under a digest; None when it is not there. Raises StoreUnavailable."""
        with disk_errors():
            path = path_of(self._folder, sha256)
            return path.stat().st_size if path.is_file() else None

    def verified(self, sha256: str) -> Path:
        """Return the file of a digest after reading it through. Raises ArtifactDamaged when the digest differs."""
        path = self.locate(sha256)
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
        if found != sha256:
            raise ArtifactDamaged(f"The artifact {sha256} has been changed: its bytes now have the digest {found}.")
        return path

    @contextmanager
    def scratch(self) -> Iterator[Path]:
        """A folder on the same disk for what need not last; it goes at the end. Raises NoSpaceLeft."""
        with disk_errors():
            (self._folder / "scratch").mkdir(parents=True, exist_ok=True)
            directory = tempfile.TemporaryDirectory(dir=self._folder / "scratch")
        with directory as name, full_disk():
            yield Path(name)

    def waiting(self, name: str) -> WaitingFolder:
        """Return the place of bytes that wait under a name, whether there are any or not."""
        return WaitingFolder(self._folder / "scratch" / f"waiting-{name}")

    def stale(self) -> list[Path]:
        """Return what dead servers and workers left unfinished over a day ago: files and folders."""
        unfinished = [path for kind in ("incoming", "scratch") for path in (self._folder / kind).glob("*")]
        return [path for path in unfinished if _age_seconds(path) > STALE_SECONDS]

    def remove_stale(self) -> int:
        """Remove what :meth:`stale` returns; return how many files and folders."""
        stale = self.stale()
        for path in stale:
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)
        return len(stale)


def path_of(folder: Path, sha256: str) -> Path:
    """Return where the bytes of a digest are kept."""
    return folder / sha256[:2] / sha256


def _age_seconds(path: Path) -> float:
    try:
        return time.time() - path.stat().st_mtime
    except FileNotFoundError:  # committed or abandoned meanwhile
        return 0
