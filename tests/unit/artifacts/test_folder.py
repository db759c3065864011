"""The artifact folder: bytes under their digest, durable once committed, nothing left of what was not."""

import errno
import hashlib
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import pytest

from glyphd.artifacts.folder import STALE_SECONDS, ArtifactFolder, StoredBytes
from glyphd.errors import ArtifactDamaged, GlyphdError, NoSpaceLeft, StoreUnavailable

_BYTES = b"canonical_model,price\n"
_DIGEST = hashlib.sha256(_BYTES).hexdigest()


@pytest.fixture
def folder(tmp_path: Path) -> ArtifactFolder:
    """A folder that nobody has made yet."""
    return ArtifactFolder(tmp_path / "artifacts")


def _store(folder: ArtifactFolder, *chunks: bytes) -> StoredBytes:
    with folder.writing() as writer:
        for chunk in chunks:
            writer.write(chunk)
        return writer.commit()


def _files(tmp_path: Path) -> list[Path]:
    return sorted(path.relative_to(tmp_path / "artifacts") for path in tmp_path.rglob("*") if path.is_file())


def test_bytes_are_kept_under_their_digest(folder: ArtifactFolder, tmp_path: Path) -> None:
    """However they were cut on the way."""
    assert StoredBytes(_DIGEST, len(_BYTES)) == _store(folder, _BYTES[:5], b"", _BYTES[5:])
    assert [Path(_DIGEST[:2], _DIGEST)] == _files(tmp_path)
    assert _BYTES == folder.locate(_DIGEST).read_bytes()
    assert folder.locate(_DIGEST) == folder.verified(_DIGEST)


def test_the_same_bytes_are_stored_once(folder: ArtifactFolder, tmp_path: Path) -> None:
    """Submitting them again mends what was damaged meanwhile."""
    _store(folder, _BYTES)
    folder.locate(_DIGEST).write_bytes(b"changed")
    _store(folder, _BYTES)
    assert [Path(_DIGEST[:2], _DIGEST)] == _files(tmp_path)
    assert _BYTES == folder.verified(_DIGEST).read_bytes()


def test_what_is_not_committed_leaves_nothing(folder: ArtifactFolder, tmp_path: Path) -> None:
    """Whether the submission was given up or went wrong."""
    with folder.writing() as writer:
        writer.write(_BYTES)
        writer.flush()
        assert _BYTES == writer.path.read_bytes()
    with pytest.raises(ValueError, match="inside"), folder.writing():
        raise ValueError("inside")
    assert [] == _files(tmp_path)


def test_a_missing_artifact_is_damaged(folder: ArtifactFolder) -> None:
    """Whether it is looked for or read through."""
    for find in (folder.locate, folder.verified):
        with pytest.raises(ArtifactDamaged, match="missing"):
            find(_DIGEST)


def test_a_changed_artifact_is_damaged(folder: ArtifactFolder) -> None:
    """Reading it through finds that, and says what it found."""
    _store(folder, _BYTES)
    folder.locate(_DIGEST).write_bytes(b"changed")
    with pytest.raises(ArtifactDamaged, match=hashlib.sha256(b"changed").hexdigest()):
        folder.verified(_DIGEST)


def test_the_size_of_an_artifact(folder: ArtifactFolder, tmp_path: Path) -> None:
    """As it is on the disk; there is none of what is not there."""
    assert folder.size_of(_DIGEST) is None
    _store(folder, _BYTES)
    assert (len(_BYTES), tmp_path / "artifacts") == (folder.size_of(_DIGEST), folder.location)
    folder.locate(_DIGEST).write_bytes(b"cut")
    assert 3 == folder.size_of(_DIGEST)


def test_a_disk_that_does_not_tell_sizes(folder: ArtifactFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    """The store is unavailable, in words."""

    def fail(*_: Any, **__: Any) -> NoReturn:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr("pathlib.Path.is_file", fail)
    with pytest.raises(StoreUnavailable):
        folder.size_of(_DIGEST)


def test_scratch_goes_at_the_end(folder: ArtifactFolder, tmp_path: Path) -> None:
    """With everything in it, also after an error, which is not changed."""
    with pytest.raises(PermissionError):
        _write_scratch_and_raise(folder)
    assert [] == _files(tmp_path)


def test_a_full_disk_is_said_of_scratch(folder: ArtifactFolder) -> None:
    """What a library writes there fails in words of ours."""
    with pytest.raises(NoSpaceLeft), folder.scratch():
        raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize(
    ("number", "kind"), [(errno.ENOSPC, NoSpaceLeft), (errno.EDQUOT, NoSpaceLeft), (errno.EIO, StoreUnavailable)]
)
@pytest.mark.parametrize("step", ["fsync", "replace", "mkstemp"])
def test_errors_of_the_disk_are_translated(
    folder: ArtifactFolder,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    number: int,
    kind: type[GlyphdError],
    step: str,
) -> None:
    """A full disk, a spent quota and a broken disk leave nothing half-written under a digest."""

    def fail(*_: Any, **__: Any) -> NoReturn:
        raise OSError(number, os.strerror(number))

    targets = {"fsync": "os.fsync", "replace": "pathlib.Path.replace", "mkstemp": "tempfile.mkstemp"}
    monkeypatch.setattr(targets[step], fail)
    with pytest.raises(kind):
        _store(folder, _BYTES)
    assert [] == _files(tmp_path)


def test_a_full_disk_while_bytes_come(folder: ArtifactFolder, tmp_path: Path) -> None:
    """The device that is always full stands for it: the writer fails and forgets its file."""
    with pytest.raises(NoSpaceLeft):
        _write_to_full_disk(folder)
    assert [] == _files(tmp_path)


def test_what_dead_processes_left_goes_after_a_day(
    folder: ArtifactFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Files of servers and folders of workers; what is younger may still be in use."""
    assert 0 == folder.remove_stale()
    for kind in ("incoming", "scratch"):
        (tmp_path / "artifacts" / kind).mkdir(parents=True)
    (tmp_path / "artifacts" / "incoming" / "upload").write_bytes(b"x")
    (tmp_path / "artifacts" / "scratch" / "run").mkdir()
    (tmp_path / "artifacts" / "scratch" / "run" / "0.arrow").write_bytes(b"x")
    assert 0 == folder.remove_stale()
    monkeypatch.setattr("time.time", _clock(time.time() + STALE_SECONDS + 60))
    assert ["run", "upload"] == sorted(path.name for path in folder.stale())
    assert 2 == folder.remove_stale()
    assert [] == _files(tmp_path)


def test_what_goes_meanwhile_is_not_missed(
    folder: ArtifactFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An upload that is committed while its folder is looked through is no error."""
    incoming = tmp_path / "artifacts" / "incoming"
    incoming.mkdir(parents=True)
    (incoming / "upload").symlink_to(tmp_path / "gone")
    assert 0 == folder.remove_stale()


def _clock(moment: float) -> Callable[[], float]:
    return lambda: moment


def _write_scratch_and_raise(folder: ArtifactFolder) -> None:
    with folder.scratch() as scratch:
        (scratch / "run.arrow").write_bytes(b"x")
        raise PermissionError(errno.EACCES, "no")


def _write_to_full_disk(folder: ArtifactFolder) -> None:
    with folder.writing() as writer:
        full = os.open("/dev/full", os.O_WRONLY)
        os.dup2(full, _descriptor_of(writer.path))
        os.close(full)
        writer.write(bytes(1 << 20))
        writer.flush()


def _descriptor_of(path: Path) -> int:
    """Return the descriptor under which this process has a file open."""
    open_files = {Path(f"/proc/self/fd/{name}").resolve(): int(name) for name in os.listdir("/proc/self/fd")}
    return open_files[path.resolve()]
