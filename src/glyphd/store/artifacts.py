"""Which artifacts an import was made from; the bytes themselves are in the artifact store."""

from collections.abc import Sequence
from datetime import datetime

import polars as pl
from sqlalchemy import Connection, delete, exists, select

from glyphd.domain.imports import Artifact
from glyphd.store.tables import artifacts, import_artifacts
from glyphd.store.unit_of_work import UnitOfWork


def insert_artifacts(work: UnitOfWork, import_id: str, stored: Sequence[Artifact], at: datetime) -> None:
    """Name the artifacts of a new import. The same bytes are one artifact, whoever submits them.

    None of them goes until the transaction ends; one that went before has to be put back by whoever received it.
    """
    for sha256 in sorted({artifact.sha256 for artifact in stored}):
        work.lock(f"artifact {sha256}")
    for artifact in stored:
        known = pl.DataFrame({"sha256": [artifact.sha256], "bytes": [artifact.bytes]})
        work.append(artifacts, known, {"stored_at": at}, keep_existing=True)
        work.connection.execute(
            import_artifacts.insert().values(
                import_id=import_id,
                role=artifact.role,
                sha256=artifact.sha256,
                filename=artifact.filename,
                media_type=artifact.media_type,
            )
        )


def artifacts_of(connection: Connection, import_id: str) -> list[Artifact]:
    """Return the artifacts of an import, by role."""
    table = import_artifacts.c
    query = (
        select(table.role, table.sha256, artifacts.c.bytes, table.filename, table.media_type)
        .join(artifacts, artifacts.c.sha256 == table.sha256)
        .where(table.import_id == import_id)
        .order_by(table.role)
    )
    return [Artifact(**row) for row in connection.execute(query).mappings()]


def release_artifacts(connection: Connection, import_id: str) -> None:
    """Let an import name no artifact any more."""
    connection.execute(delete(import_artifacts).where(import_artifacts.c.import_id == import_id))


def forget_artifact(work: UnitOfWork, sha256: str) -> bool:
    """Forget an artifact unless an import names it; tell whether its bytes may go, before the transaction ends."""
    work.lock(f"artifact {sha256}")
    named = exists().where(import_artifacts.c.sha256 == sha256)
    return work.connection.execute(delete(artifacts).where(artifacts.c.sha256 == sha256, ~named)).rowcount == 1
