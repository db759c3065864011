"""Which artifacts an import was made from; the bytes themselves are in the artifact store."""

from collections.abc import Sequence
from datetime import datetime

import polars as pl
from sqlalchemy import Connection, select

from glyphd.domain.imports import Artifact
from glyphd.store.tables import artifacts, import_artifacts
from glyphd.store.unit_of_work import UnitOfWork


def insert_artifacts(work: UnitOfWork, import_id: str, stored: Sequence[Artifact], at: datetime) -> None:
    """Name the artifacts of a new import. The same bytes are one artifact, whoever submits them."""
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
