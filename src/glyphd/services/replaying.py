"""Replay: import a batch's artifacts again, under today's rules, without its source sending them again."""

from collections.abc import Mapping
from dataclasses import asdict
from functools import partial
from typing import Any

from sqlalchemy import Connection
from uuid_utils.compat import uuid7

from glyphd.domain.gates import limits_of, read_gates, requested_gates
from glyphd.domain.imports import REPLAYABLE, Artifact, Import, Kind, PublishMode, Status
from glyphd.errors import NothingToReplay
from glyphd.services.context import Context
from glyphd.services.idempotency import KeyClaim, fingerprint, receive_once
from glyphd.services.refusing import refused
from glyphd.store import artifacts, events, imports
from glyphd.store.unit_of_work import UnitOfWork

_TAKEN_OVER = ("source", "campaign_id", "metadata", "observed_at", "on_error", "previous_import_id")


def replay_import(
    context: Context,
    import_id: str,
    actor: str,
    reason: str | None = None,
    *,
    publish: PublishMode = PublishMode.AUTO,
    schema_version: str | None = None,
    claim: KeyClaim | None = None,
) -> str:
    """Write a replay of a batch on the ledger, `received`, and return its import_id. Asked of a replay: of its batch.

    Once published it stands for the batch. Without a ``schema_version`` it is checked against the batch's own.
    Raises ImportNotFound, IllegalTransition, NothingToReplay, ArtifactDamaged, and as :func:`receive_once`.
    """
    asked = {"publish_mode": publish, "schema_version": schema_version}
    write = partial(_write_replay, context, import_id, actor, reason, asked)
    return receive_once(context, claim, fingerprint("replay", import_id, asked), write)


def _write_replay(
    context: Context, import_id: str, actor: str, reason: str | None, asked: Mapping[str, Any], work: UnitOfWork
) -> str:
    replay_id, now = str(uuid7()), context.clock()
    batch = _hold_batch(work, import_id)
    stored = _artifacts_of(context, work.connection, batch)
    values = {
        **{name: getattr(batch, name) for name in _TAKEN_OVER},
        "import_id": replay_id,
        "imported_at": now,
        "kind": Kind.REPLAY,
        "status": Status.RECEIVED,
        "parent_import_id": batch.import_id,
        "gates": [asdict(gate) for gate in requested_gates(limits_of(read_gates(batch.gates)))],
        **asked,
        "schema_version": asked["schema_version"] or batch.schema_version,
    }
    imports.insert_import(work.connection, values)
    artifacts.insert_artifacts(work, replay_id, stored, now)
    events.add_event(work.connection, replay_id, now, actor, "received", Status.RECEIVED, reason=reason)
    return replay_id


def _hold_batch(work: UnitOfWork, import_id: str) -> Import:
    """Return the batch that a replay of this import hangs on, its state held. Raises IllegalTransition."""
    asked = imports.find_import(work.connection, import_id)
    imports.hold_source(work, asked.source)
    if asked.kind is Kind.AMENDMENT:
        detail = "The import is an amendment: it mends records of its batch, and only a batch can be replayed."
        raise refused(work.connection, asked, detail)
    batch = imports.hold_import(work, asked.parent_import_id or import_id)
    if batch.status not in REPLAYABLE:
        detail = f"The batch is {batch.status}; one that is staged, published or rolled back can be replayed."
        raise refused(work.connection, batch, detail)
    return batch


def _artifacts_of(context: Context, connection: Connection, batch: Import) -> list[Artifact]:
    stored = artifacts.artifacts_of(connection, batch.import_id)
    if not stored:
        detail = "The import has no artifact: it was made before glyphd kept what is submitted."
        raise NothingToReplay(detail, import_id=batch.import_id)
    for artifact in stored:
        context.artifacts.locate(artifact.sha256)
    return stored
