"""Lineage: where one record came from, and what became of it."""

from typing import Annotated

from fastapi import APIRouter, Path

from glyphd.api.problems import declare
from glyphd.api.requests import ImportId, ServiceContext
from glyphd.domain.lineage import Lineage
from glyphd.errors import ArtifactDamaged, ImportNotFound, InvalidParameter
from glyphd.services import explaining

router = APIRouter(prefix="/api", tags=["listings"])

ImportIndex = Annotated[
    int, Path(description="1-based position in the submitted batch.", ge=1, le=2**31 - 1, examples=[1])
]


@router.get(
    "/listings/{import_id}/{import_index}/lineage",
    responses=declare(ImportNotFound, InvalidParameter, ArtifactDamaged),
)
def get_lineage(context: ServiceContext, import_id: ImportId, import_index: ImportIndex) -> Lineage:
    """Explain one record: as it was submitted, how it was read, what became of it, and where else it was seen."""
    return explaining.explain_record(context, import_id, import_index)
