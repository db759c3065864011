"""Which artifacts an import was made from; the bytes themselves are in the artifact store."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, select

from glyphd.domain.imports import Artifact
from glyphd.store.tables import artifacts, import_artifacts


def insert_artifacts(connection: Connection, import_id: str, stored: Sequence[Artifact], at: datetime) -> None:
    """Name the artifacts of a new import. The same bytes are one artifact, whoever submits them."""
    for artifact in stored:
        known = connection.execute(select(artifacts.c.sha256).where(artifacts.c.sha256 == artifact.sha256)).first()
        if known is None:
            connection.execute(artifacts.insert().values(sha256=artifact.sha256, bytes=artifact.bytes, stored_at=at))
        connection.execute(
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
