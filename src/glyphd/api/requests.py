"""What routes take from a request besides their parameters."""

from typing import Annotated

from fastapi import Depends, Header, Path, Request

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


ServiceContext = Annotated[Context, Depends(_context)]
ServerSettings = Annotated[Settings, Depends(_settings)]
Actor = Annotated[str, Depends(_actor)]
ImportId = Annotated[
    str,
    Path(
        description="The import's id.",
        min_length=1,
        max_length=128,
        examples=["01997c1e-4a00-7d5e-9c39-0f6a4cf0a1b2"],
    ),
]
