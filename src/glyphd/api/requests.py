"""What routes take from a request besides their parameters."""

from typing import Annotated

from fastapi import Depends, Header, Path, Request
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError

from glyphd.api.schemas import Reason
from glyphd.errors import BodyTooLarge, MalformedRequest, UnsupportedFormat
from glyphd.services.context import Context
from glyphd.settings import Settings


def _context(request: Request) -> Context:
    context: Context = request.app.state.context
    return context


def _settings(request: Request) -> Settings:
    settings: Settings = request.app.state.settings
    return settings


def _actor(
    x_actor: Annotated[
        str | None, Header(description="Who asks, for the audit trail.", max_length=128, pattern=r"^[ -~]*$")
    ] = None,
) -> str:
    return (x_actor or "").strip() or "api"


REASON_BYTES = 16 * 1024
_JSON_OR_UNSAID = frozenset(
    {"", "application/json", "application/x-www-form-urlencoded"}
)  # curl says the last by itself


async def _reason(request: Request) -> str | None:
    """Read the optional body of a change of state, never more of it than it may have."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > REASON_BYTES:
            raise BodyTooLarge(f"The body has more than {REASON_BYTES} bytes.", limit=REASON_BYTES)
    media_type = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if body and media_type not in _JSON_OR_UNSAID:
        raise UnsupportedFormat(f"The body must be application/json, not {media_type}.", found=media_type)
    try:
        given = Reason.model_validate_json(bytes(body)) if bytes(body.strip()) not in {b"", b"null"} else Reason()
    except ValidationError as exc:
        faults = exc.errors(include_url=False, include_input=False, include_context=False)
        if faults[0]["type"] == "json_invalid":
            raise MalformedRequest(f"The body is not JSON: {faults[0]['msg']}.") from exc
        raise RequestValidationError([{**fault, "loc": ("body", *fault["loc"])} for fault in faults]) from exc
    return given.reason


ServiceContext = Annotated[Context, Depends(_context)]
ServerSettings = Annotated[Settings, Depends(_settings)]
Actor = Annotated[str, Depends(_actor)]
GivenReason = Annotated[str | None, Depends(_reason)]
ImportId = Annotated[
    str,
    Path(
        description="The import's id.",
        min_length=1,
        max_length=128,
        json_schema_extra={"format": "uuid"},  # those of databases from the field may be any text
        examples=["01997c1e-4a00-7d5e-9c39-0f6a4cf0a1b2"],
    ),
]
ImportIndex = Annotated[int, Path(ge=1, le=2**31 - 1, description="1-based position of the record in the batch.")]
