"""Whether the service lives, and whether it can work."""

from fastapi import APIRouter

from glyphd.api.problems import declare
from glyphd.api.requests import ServiceContext
from glyphd.api.schemas import Health
from glyphd.errors import NoSpaceLeft, SchemaOutOfDate, StoreUnavailable
from glyphd.services import checking

router = APIRouter(tags=["health"])


@router.get("/api/health")
@router.get("/livez")
async def get_health() -> Health:
    """Answer as long as the process does."""
    return Health(status="ok")


@router.get("/readyz", responses=declare(StoreUnavailable, SchemaOutOfDate, NoSpaceLeft))
def get_readiness(context: ServiceContext) -> Health:
    """Answer when the database is there, at the right schema revision, and the artifact store can be written."""
    checking.check_ready(context)
    return Health(status="ok")
