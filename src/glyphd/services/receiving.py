"""Receive a batch: once its bytes are safe, the import is on the ledger and nothing can be lost (G4)."""

from collections.abc import Sequence
from pathlib import Path

from uuid_utils.compat import uuid7

from glyphd.artifacts.folder import ArtifactWriter
from glyphd.domain.imports import Artifact, Status
from glyphd.errors import MalformedRequest, QueueFull
from glyphd.ingest.formats import Format, detect_format
from glyphd.ingest.pipeline_output import ENRICHED, SCORED
from glyphd.ingest.submitted import HEAD_BYTES
from glyphd.services.context import Context
from glyphd.services.options import ImportOptions
from glyphd.services.placing import place_import
from glyphd.store import artifacts, events, imports

PORTION_BYTES = 256 << 10  # a portion of a form holds the GIL for 0.6 ms
_MEDIA_TYPES = {Format.CSV: "text/csv", Format.JSON: "application/json"}


def check_queue(context: Context) -> None:
    """Refuse before a body is read when too many imports wait already. Raises QueueFull."""
    with context.database.reading() as connection:
        waiting = imports.count_waiting(connection)
    if waiting >= context.max_queue:
        raise QueueFull(f"{waiting} imports are waiting for a worker; this server lets {context.max_queue} wait.")


def receive_import(
    context: Context, options: ImportOptions, stored: Sequence[Artifact], actor: str, request_id: str | None = None
) -> str:
    """Write the import `received` for artifacts that are already durable, and return its import_id.

    Raises as :func:`glyphd.services.placing.read_options` about the parent, which may have changed since.
    """
    import_id, now = str(uuid7()), context.clock()
    with context.database.writing() as work:
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
        details = {"request_id": request_id} if request_id else {}
        events.add_event(work.connection, import_id, now, actor, "received", Status.RECEIVED, details=details)
        work.commit()
    return import_id


def store_file(context: Context, file: Path, role: str = "batch") -> Artifact:
    """Copy a local file into the artifact store. Raises UnsupportedFormat, NoSpaceLeft, MalformedRequest."""
    with context.artifacts.writing() as writer:
        try:
            with file.open("rb") as opened:
                while portion := opened.read(PORTION_BYTES):
                    writer.write(portion)
        except OSError as exc:
            raise MalformedRequest(f"{file} cannot be read: {exc.strerror}.") from exc
        return store_artifact(writer, None, clean_filename(file.name), role)


def store_pair(context: Context, enriched: Path, scored: Path) -> list[Artifact]:
    """Copy the two local files of a pipeline run into the artifact store. Raises as :func:`store_file`."""
    return [store_file(context, enriched, ENRICHED), store_file(context, scored, SCORED)]


def clean_filename(name: str | None) -> str | None:
    """Return a file name without folders and control characters: it is shown, never opened."""
    last = (name or "").replace("\\", "/").rsplit("/", 1)[-1]
    return "".join(character for character in last if character.isprintable())[:255] or None


def store_artifact(
    writer: ArtifactWriter, media_type: str | None, filename: str | None, role: str = "batch"
) -> Artifact:
    """Make received bytes durable, once it is known that their format can be imported. Raises UnsupportedFormat."""
    writer.flush()
    with writer.path.open("rb") as file:
        found = detect_format(media_type, filename, file.read(HEAD_BYTES))
    stored = writer.commit()
    return Artifact(role, stored.sha256, stored.bytes, filename, _MEDIA_TYPES[found])
