"""Receive a batch: once its bytes are safe, the import is on the ledger and nothing can be lost (G4)."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

from uuid_utils.compat import uuid7

from glyphd.artifacts.folder import ArtifactFolder, ArtifactWriter
from glyphd.domain.imports import Artifact, Status
from glyphd.errors import MalformedRequest, QueueFull, UnsupportedFormat
from glyphd.ingest.pipeline_output import ENRICHED, SCORED
from glyphd.ingest.submitted import BATCH, SubmittedFile, check_submitted
from glyphd.services.context import Context
from glyphd.services.idempotency import KeyClaim, fingerprint_of, receive_once
from glyphd.services.options import ImportOptions
from glyphd.services.placing import place_import
from glyphd.store import artifacts, events, imports
from glyphd.store.unit_of_work import UnitOfWork

PORTION_BYTES = 256 << 10  # a portion of a form holds the GIL for 0.6 ms


def check_queue(context: Context) -> None:
    """Refuse before a body is read when too many imports wait already. Raises QueueFull."""
    with context.database.reading() as connection:
        waiting = imports.count_waiting(connection)
    if waiting >= context.max_queue:
        raise QueueFull(f"{waiting} imports are waiting for a worker; this server lets {context.max_queue} wait.")


def receive_import(
    context: Context,
    options: ImportOptions,
    stored: Sequence[Artifact],
    actor: str,
    request_id: str | None = None,
    *,
    claim: KeyClaim | None = None,
) -> str:
    """Write the import `received` for artifacts that are already durable, and return its import_id.

    With the ``claim`` of a key that has an import already that one is returned. Raises as :func:`receive_once`, as
    :func:`glyphd.services.placing.read_options` about the parent, which may have changed since, and StoreUnavailable
    for bytes that were purged since; never in a context that is :func:`holding` them.
    """
    details = {"request_id": request_id} if request_id else {}
    write = partial(_write_import, context, options, stored, actor, details)
    return receive_once(context, claim, fingerprint_of(options, stored), write)


def _write_import(
    context: Context,
    options: ImportOptions,
    stored: Sequence[Artifact],
    actor: str,
    details: dict[str, str],
    work: UnitOfWork,
) -> str:
    import_id, now = str(uuid7()), context.clock()
    imports.insert_import(
        work.connection,
        {
            "import_id": import_id,
            "imported_at": now,
            "status": Status.RECEIVED,
            "schema_version": options.schema_version,
            "campaign_id": options.campaign_id,
            "metadata": options.metadata,
            "on_error": options.on_error,
            "publish_mode": options.publish,
            **place_import(context, work, options, now),
        },
    )
    artifacts.insert_artifacts(work, import_id, stored, now)
    for artifact in stored:
        context.artifacts.put_back(artifact.sha256)
    events.add_event(work.connection, import_id, now, actor, "received", Status.RECEIVED, details=details)
    return import_id


@contextmanager
def passing(context: Context) -> Iterator[Context]:
    """The same context over an artifact store of its own, which goes in the end with all that it holds.

    Raises NoSpaceLeft.
    """
    with context.artifacts.scratch() as folder:
        yield replace(context, artifacts=ArtifactFolder(folder))


@contextmanager
def holding(context: Context) -> Iterator[Context]:
    """The same context; no purge can take away what is received in it. Raises NoSpaceLeft."""
    with context.artifacts.holding() as folder:
        yield replace(context, artifacts=folder)


def store_file(
    context: Context, file: Path, role: str = BATCH, *, media_type: str | None = None, filename: str | None = None
) -> Artifact:
    """Copy a local file into the artifact store, under its own name if no other is given.

    Raises UnsupportedFormat, NoSpaceLeft, MalformedRequest.
    """
    with context.artifacts.writing() as writer:
        try:
            with file.open("rb") as opened:
                while portion := opened.read(PORTION_BYTES):
                    writer.write(portion)
        except OSError as exc:
            raise MalformedRequest(f"{file} cannot be read: {exc.strerror}.") from exc
        return store_artifact(writer, media_type, clean_filename(filename or file.name), role)


def store_pair(context: Context, enriched: Path, scored: Path) -> list[Artifact]:
    """Copy the two local files of a pipeline run into the artifact store. Raises as :func:`store_file`."""
    return [store_file(context, enriched, ENRICHED), store_file(context, scored, SCORED)]


def clean_filename(name: str | None) -> str | None:
    """Return a file name without folders and control characters: it is shown, never opened."""
    last = (name or "").replace("\\", "/").rsplit("/", 1)[-1]
    return "".join(character for character in last if character.isprintable())[:255] or None


def store_artifact(writer: ArtifactWriter, media_type: str | None, filename: str | None, role: str = BATCH) -> Artifact:
    """Make received bytes durable, once it is known that their format can be imported. Raises UnsupportedFormat."""
    writer.flush()
    kept_as = _media_type_of(SubmittedFile(writer.path, media_type, filename, role))
    stored = writer.commit()
    return Artifact(role, stored.sha256, stored.bytes, filename, kept_as)


def _media_type_of(file: SubmittedFile) -> str:
    """Return what a file is kept as; a refusal says which file it is of, if there are several."""
    try:
        return check_submitted(file)
    except UnsupportedFormat as exc:
        if file.role == BATCH:
            raise
        detail = f"In the {file.role} file: {exc.detail}"
        raise UnsupportedFormat(detail, **exc.members, file=file.role) from exc
