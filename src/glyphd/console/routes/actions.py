"""What is done with an import: each is a form, and ends on the import's page."""

from fastapi import APIRouter, Response

from glyphd.api.requests import ImportId, ServiceContext
from glyphd.api.schemas import Reason
from glyphd.console.form_tokens import CheckedForm
from glyphd.console.queries import validated
from glyphd.console.receipts import redirect, sentences
from glyphd.services import discarding, publishing, replaying, rolling_back
from glyphd.services.idempotency import claimed

router = APIRouter(prefix="/imports/{import_id}")

ACTOR = "console"
PATIENCE_SECONDS = 10.0


def _reason(form: dict[str, str]) -> str | None:
    return validated(Reason, {"reason": form.get("reason", "").strip() or None}, "form").reason


@router.post("/publish")
def post_publish(context: ServiceContext, import_id: ImportId, form: CheckedForm) -> Response:
    """Make the rows of a staged import visible."""
    publishing.publish_import(context, import_id, ACTOR, _reason(form))
    return redirect(import_id, ["The import is published: its rows are read now."])


@router.post("/discard")
def post_discard(context: ServiceContext, import_id: ImportId, form: CheckedForm) -> Response:
    """Take out an import that is not published."""
    discarding.discard_import(context, import_id, ACTOR, _reason(form))
    return redirect(import_id, ["The import is discarded: its rows are removed, its artifact is kept."])


@router.post("/rollback")
def post_rollback(context: ServiceContext, import_id: ImportId, form: CheckedForm) -> Response:
    """Take a published import out of every read."""
    receipt = rolling_back.roll_back_import(context, import_id, ACTOR, _reason(form))
    return redirect(import_id, sentences(receipt, "rolled back"))


@router.post("/restore")
def post_restore(context: ServiceContext, import_id: ImportId, form: CheckedForm) -> Response:
    """Put a rolled-back import back into every read."""
    receipt = rolling_back.restore_import(context, import_id, ACTOR, _reason(form))
    return redirect(import_id, sentences(receipt, "restored"))


@router.post("/replay")
def post_replay(context: ServiceContext, import_id: ImportId, form: CheckedForm) -> Response:
    """Import a batch's stored artifact again under today's rules; a form that is sent again makes no other import."""
    with claimed(context, form.get("idempotency_key"), patience_seconds=PATIENCE_SECONDS) as claim:
        replay_id = replaying.replay_import(context, import_id, ACTOR, _reason(form), claim=claim)
    return redirect(replay_id, [f"This is a replay of {import_id}; once published it stands for its batch."])
