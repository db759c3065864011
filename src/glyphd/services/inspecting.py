"""Inspect an import: its rejections, its events, its artifact, whatever its state."""

import base64
from dataclasses import dataclass
from pathlib import Path

from glyphd.domain.imports import Artifact, Status, possible_in
from glyphd.domain.issues import IssueCode, Rejection
from glyphd.domain.report import ImportEvent, RejectedRecord
from glyphd.errors import ArtifactNotFound
from glyphd.ingest.submitted import SubmittedFile
from glyphd.services.context import Context
from glyphd.services.refusing import parent_is_published
from glyphd.store import artifacts, events, imports, rejections
from glyphd.store.events import Event
from glyphd.store.rejections import RejectionFilters


@dataclass(frozen=True, slots=True)
class StoredArtifact:
    """An artifact and the file that holds its bytes."""

    artifact: Artifact
    path: Path

    def submitted(self) -> SubmittedFile:
        """Return it as a file that can be read."""
        artifact = self.artifact
        return SubmittedFile(self.path, artifact.media_type, artifact.filename, artifact.role)


def inspect_rejections(
    context: Context, import_id: str, *, limit: int, after_index: int = 0
) -> tuple[list[RejectedRecord], bool]:
    """Return a page of rejections by import_index, and whether there are more. Raises ImportNotFound."""
    with context.database.reading() as connection:
        imports.find_import(connection, import_id)
        found, more = rejections.list_rejections(connection, import_id, limit=limit, after_index=after_index)
    return [_shown(rejection) for rejection in found], more


def search_rejections(
    context: Context, import_id: str, code: IssueCode | None, text: str | None, *, limit: int, after_index: int = 0
) -> tuple[list[RejectedRecord], int | None]:
    """Return rejections with an issue of a code, and with a text in the record or in what is said of it.

    Beside them the import_index behind which to search on, None at the end: a page may be short, or empty, before it.
    Raises ImportNotFound.
    """
    sought = RejectionFilters(code, text)
    with context.database.reading() as connection:
        imports.find_import(connection, import_id)
        found, last = rejections.search_rejections(connection, import_id, sought, limit=limit, after_index=after_index)
    return [_shown(rejection) for rejection in found], last


def _shown(rejection: Rejection) -> RejectedRecord:
    text = rejection.encoding == "utf8"
    raw = rejection.raw.decode() if text else base64.b64encode(rejection.raw).decode()
    return RejectedRecord(rejection.import_index, raw, rejection.encoding, rejection.issues)


def inspect_columns(context: Context, import_id: str) -> dict[str, str]:
    """Return how the columns of an import were read: header as submitted → field. Raises ImportNotFound."""
    with context.database.reading() as connection:
        return imports.find_import(connection, import_id).column_mapping


def inspect_possible(context: Context, import_id: str) -> list[str]:
    """Return what can be done with an import now. Raises ImportNotFound."""
    with context.database.reading() as connection:
        entry = imports.find_import(connection, import_id)
        return possible_in(entry.kind, entry.status, parent_published=parent_is_published(connection, entry))


def inspect_events(context: Context, import_id: str, *, limit: int, after_id: int = 0) -> list[Event]:
    """Return events, oldest first. Raises ImportNotFound."""
    with context.database.reading() as connection:
        imports.find_import(connection, import_id)
        return events.list_events(connection, import_id, limit=limit, after_id=after_id)


def told(event: Event) -> ImportEvent:
    """Return an event without its number in the ledger."""
    return ImportEvent(event.at, event.actor, event.action, event.status, event.reason, event.details)


def inspect_artifact(context: Context, import_id: str, role: str | None = None) -> StoredArtifact:
    """Return one artifact; without a role the first. Raises ImportNotFound, ArtifactNotFound, ArtifactDamaged."""
    return inspect_artifacts(context, import_id, role)[0]


def inspect_artifacts(context: Context, import_id: str, role: str | None = None) -> list[StoredArtifact]:
    """Return the artifacts of an import by role, at least one. Raises as :func:`inspect_artifact`."""
    with context.database.reading() as connection:
        entry = imports.find_import(connection, import_id)
        stored = artifacts.artifacts_of(connection, import_id)
    if found := [artifact for artifact in stored if role in {None, artifact.role}]:
        return [StoredArtifact(artifact, context.artifacts.locate(artifact.sha256)) for artifact in found]
    if entry.status is Status.PURGED and not stored:
        raise ArtifactNotFound("The import was purged, and its artifact is gone.", import_id=import_id)
    roles = ", ".join(artifact.role for artifact in stored) or "none"
    detail = f"The import has no artifact{f' in the role {role!r}' if role else ''}; its roles: {roles}."
    raise ArtifactNotFound(detail, import_id=import_id)
