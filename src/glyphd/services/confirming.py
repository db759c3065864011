"""Files that wait until a person has seen what would come of them: checked, in no import, and gone after a day.

They lie in the scratch space of the artifact store, where every server process finds them (ADR 0041).
"""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import uuid4

import msgspec

from glyphd.artifacts.folder import ArtifactFolder
from glyphd.artifacts.waiting import WaitingFolder
from glyphd.domain.report import ValidationReport
from glyphd.errors import MissingFile, UploadNotFound
from glyphd.services.context import Context
from glyphd.services.idempotency import claimed
from glyphd.services.placing import read_options
from glyphd.services.receiving import check_queue, holding, receive_import, store_file

_UPLOAD_ID = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class WaitingFile:
    """A file and what would come of it; ``report`` is None for one of a format that cannot be read.

    ``failure`` is why it cannot be imported, None when it can.
    """

    filename: str | None
    report: ValidationReport | None
    failure: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class WaitingUpload:
    """Files that were sent together, and the options for all of them; ``import_ids`` once they are imported."""

    options: dict[str, str]
    files: Sequence[WaitingFile]
    import_ids: list[str] = field(default_factory=list)

    @property
    def importable(self) -> int:
        """How many of the files can be imported."""
        return sum(file.failure is None for file in self.files)


@contextmanager
def keeping(context: Context) -> Iterator[tuple[str, Context]]:
    """Give a new upload its id, and the same context over a store that will wait; what fails leaves nothing.

    What has waited for too long goes first. Raises NoSpaceLeft, StoreUnavailable.
    """
    context.artifacts.remove_stale()
    upload_id = uuid4().hex
    folder = context.artifacts.waiting(upload_id)
    folder.create()
    try:
        yield upload_id, replace(context, artifacts=ArtifactFolder(folder.location))
    except BaseException:
        folder.remove()
        raise


def keep_upload(context: Context, upload_id: str, upload: WaitingUpload) -> None:
    """Let files wait that were received while :func:`keeping`. Raises NoSpaceLeft, StoreUnavailable."""
    context.artifacts.waiting(upload_id).write_note(msgspec.json.encode(upload))


def find_upload(context: Context, upload_id: str) -> WaitingUpload:
    """Return files that wait, or waited. Raises UploadNotFound."""
    return _read(_folder(context, upload_id))


def import_upload(context: Context, upload_id: str, actor: str, request_id: str | None = None) -> list[str]:
    """Import the files that can be, and return the ids of their imports; asked again, the same ids.

    Whoever asks meanwhile waits, and each file has an idempotency key: a process that dies on the way makes no import
    twice. Raises UploadNotFound, MissingFile, and as :func:`glyphd.services.receiving.receive_import`.
    """
    folder = _folder(context, upload_id)
    with folder.alone():
        upload = _read(folder)
        if upload.import_ids:
            return upload.import_ids
        if not upload.importable:
            raise MissingFile("None of the files can be imported.", missing=["file"])
        files = [(f"upload-{upload_id}-{number}", file) for number, file in enumerate(upload.files)]
        submit = [
            _Submission(key, file.report, upload.options) for key, file in files if file.report and not file.failure
        ]
        import_ids = [_import(context, folder, each, actor, request_id) for each in submit]
        folder.write_note(msgspec.json.encode(replace(upload, import_ids=import_ids)))
        folder.forget_bytes()
    return import_ids


def drop_upload(context: Context, upload_id: str) -> None:
    """Forget files that wait. Raises UploadNotFound."""
    folder = _folder(context, upload_id)
    with folder.alone():
        _read(folder)
        folder.remove()


@dataclass(frozen=True, slots=True)
class _Submission:
    key: str
    report: ValidationReport
    options: dict[str, str]


def _import(
    context: Context, folder: WaitingFolder, submission: _Submission, actor: str, request_id: str | None
) -> str:
    waiting = submission.report.artifacts[0]
    with claimed(context, submission.key) as claim, holding(context) as own:
        if claim and claim.known and claim.known.import_id:
            return claim.known.import_id
        check_queue(own)
        options = read_options(own, submission.options)
        file = ArtifactFolder(folder.location).locate(waiting.sha256)
        stored = store_file(own, file, media_type=waiting.media_type, filename=waiting.filename)
        return receive_import(own, options, [stored], actor, request_id, claim=claim)


def _folder(context: Context, upload_id: str) -> WaitingFolder:
    if not _UPLOAD_ID.fullmatch(upload_id):
        raise _not_found()
    return context.artifacts.waiting(upload_id)


def _read(folder: WaitingFolder) -> WaitingUpload:
    note = folder.read_note()
    if note is None:
        raise _not_found()
    return msgspec.json.decode(note, type=WaitingUpload)


def _not_found() -> UploadNotFound:
    return UploadNotFound("Files that are not imported wait for a day, or until they are refused: choose them again.")
