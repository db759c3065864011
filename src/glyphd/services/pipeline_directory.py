"""Files of the machine itself, named by path: only regular files below one directory, whatever is tried (G7).

A path is walked from the directory's own descriptor, a component at a time and never through a symbolic link; what is
opened is judged by its descriptor and read from that descriptor, so that nothing can be put in its place in between.
Every refusal has the same words: an answer tells nothing about what exists outside the directory.
"""

import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path, PurePosixPath

from glyphd.artifacts.folder import ArtifactFolder
from glyphd.domain.imports import Artifact
from glyphd.errors import BodyTooLarge, MissingFile, PipelineDirUnset, PipelinePathRefused
from glyphd.ingest.pipeline_output import ENRICHED, SCORED
from glyphd.services.receiving import PORTION_BYTES, clean_filename, store_artifact

PATH_ROLES = {"enriched_path": ENRICHED, "scored_path": SCORED, "input_csv_path": "batch"}
"""What each name of a path stands for."""

PATH_LENGTH = 4096
_STEP = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC  # a FIFO would wait for its writer


class PipelineDirectory:
    """The directory whose files a request may name, and how many bytes one of them may have."""

    def __init__(self, directory: Path | None, limit: int) -> None:
        """Name the directory; None refuses every path."""
        self._directory = directory
        self._limit = limit

    def store(self, paths: Mapping[str, str], store: ArtifactFolder) -> list[Artifact]:
        """Copy the files of a pair, or a joined file, named as in :data:`PATH_ROLES`, into the artifact store.

        Raises PipelineDirUnset, PipelinePathRefused, MissingFile, BodyTooLarge, UnsupportedFormat, NoSpaceLeft.
        """
        if self._directory is None:
            raise PipelineDirUnset("GLYPHD_PIPELINE_DIR is not set on this server; upload the files instead.")
        check_complete({PATH_ROLES[name] for name in paths})
        return [self._store_one(name, paths[name], store) for name in PATH_ROLES if name in paths]

    def _store_one(self, name: str, path: str, store: ArtifactFolder) -> Artifact:
        with store.writing() as writer, self._opened(name, path) as descriptor:
            while portion := self._read(name, descriptor):
                writer.write(portion)
                if writer.bytes > self._limit:  # it may have grown since it was opened
                    raise self._too_large(name)
            return store_artifact(writer, None, clean_filename(path), PATH_ROLES[name])

    @contextmanager
    def _opened(self, name: str, path: str) -> Iterator[int]:
        """Open a file below the directory. Raises PipelinePathRefused, BodyTooLarge."""
        with ExitStack() as stack:
            try:
                *folders, last = self._components(path)
                descriptor = _open(stack, self._directory or "", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
                for folder in folders:
                    descriptor = _open(stack, folder, _STEP, below=descriptor)
                descriptor = _open(stack, last, _FILE, below=descriptor)
                status = os.fstat(descriptor)
            except (OSError, ValueError) as exc:
                raise _refused(name) from exc
            if not stat.S_ISREG(status.st_mode):
                raise _refused(name)
            if status.st_size > self._limit:
                raise self._too_large(name)
            yield descriptor

    def _components(self, path: str) -> list[str]:
        """Split a path, absolute below the directory or relative to it. Raises ValueError for what leads out of it."""
        if not path or len(path) > PATH_LENGTH or "\0" in path or path.endswith("/"):
            raise ValueError
        within = PurePosixPath(path)
        if within.is_absolute():
            within = within.relative_to(Path(self._directory or "").absolute())
        if not within.parts or ".." in within.parts:
            raise ValueError
        return list(within.parts)

    def _read(self, name: str, descriptor: int) -> bytes:
        try:
            return os.read(descriptor, PORTION_BYTES)
        except OSError as exc:
            raise _refused(name) from exc

    def _too_large(self, name: str) -> BodyTooLarge:
        detail = f"The file of {name} has more than the {self._limit} bytes that this server accepts."
        return BodyTooLarge(detail, limit=self._limit, parameter=name)


def check_complete(roles: set[str]) -> None:
    """Check that there is a pair of files or a joined one. Raises MissingFile, naming what is missing."""
    if roles in ({ENRICHED, SCORED}, {"batch"}):
        return
    if "batch" in roles:
        raise MissingFile("A joined file comes alone: send either it, or the enriched and the scored file.")
    missing = [role for role in (ENRICHED, SCORED) if role not in roles]
    raise MissingFile(f"The {' and the '.join(missing)} file of the pipeline run is missing.", missing=missing)


def _open(stack: ExitStack, path: str | Path, flags: int, *, below: int | None = None) -> int:
    descriptor = os.open(path, flags, dir_fd=below)
    stack.callback(os.close, descriptor)
    return descriptor


def _refused(name: str) -> PipelinePathRefused:
    detail = f"{name} must name a regular file below the pipeline directory, not through a symbolic link."
    return PipelinePathRefused(detail, parameter=name)
