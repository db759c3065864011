"""What was done, told on the page that the browser is sent to: in a cookie that is read once."""

import base64
import binascii
import json
from collections.abc import Sequence
from urllib.parse import quote

from fastapi import Request, Response
from fastapi.responses import RedirectResponse

from glyphd.console.formatting import rows
from glyphd.domain.receipts import Receipt

COOKIE = "glyphd_receipt"
_SECONDS = 60


def redirect(import_id: str, told: Sequence[str]) -> Response:
    """Send the browser to the page of an import, and tell there what was done."""
    answer = RedirectResponse(_address(import_id), 303)
    text = base64.urlsafe_b64encode(json.dumps(told).encode()).decode()
    if told:
        answer.set_cookie(COOKIE, text, max_age=_SECONDS, path=_address(import_id), httponly=True, samesite="lax")
    return answer


def told(request: Request) -> list[str]:
    """Return what is to be told on this page; a cookie that is not ours tells nothing."""
    try:
        found = json.loads(base64.urlsafe_b64decode(request.cookies.get(COOKIE, "")))
    except (binascii.Error, ValueError, RecursionError):
        return []
    return [str(sentence) for sentence in found] if isinstance(found, list) else []


def forget(answer: Response, import_id: str, shown: Sequence[str]) -> None:
    """Tell it once."""
    if shown:
        answer.delete_cookie(COOKIE, path=_address(import_id), httponly=True, samesite="lax")


def sentences(receipt: Receipt, done: str) -> list[str]:
    """Return a receipt as a person reads it; ``done`` is what it is of, as `rolled back`."""
    if not receipt.changed:
        return [f"The import was {done} already; nothing changed."]
    return [f"The import is {done}.", *effect(receipt)]


def effect(receipt: Receipt) -> list[str]:
    """Return what a receipt says of what is read now."""
    moved = ((receipt.rows_hidden, "Hidden from every read"), (receipt.rows_shown, "Shown again"))
    told = [f"{how}: {rows(count)}." for count, how in moved if count]
    view = receipt.current_view
    if view is None:
        return [*told, f"{receipt.source} has no current view: nothing of it is published."]
    version = "" if view.source_version is None else f", version {view.source_version}"
    return [
        *told,
        f"The current view of {receipt.source} is batch {view.import_id}{version}, with {rows(view.count)}.",
    ]


def _address(import_id: str) -> str:
    return f"/imports/{quote(import_id, safe='')}"
