"""What can befall whoever asks a server."""

from typing import Any

from glyphd.errors.base import GlyphdError, Kind


class ServerUnreachable(GlyphdError):
    """The server cannot be reached."""

    code, kind = "server_unreachable", Kind.UNAVAILABLE


class UnexpectedAnswer(GlyphdError):
    """The server answered something that glyphd does not answer."""

    code, kind = "unexpected_answer", Kind.FAULT


class UnknownProblem(GlyphdError):
    """The server answered a problem that this version of glyphd does not know."""

    code, kind = "unknown_problem", Kind.FAULT

    def __init__(self, code: str, detail: str, **members: Any) -> None:
        """Take the code that the server said."""
        super().__init__(detail, **members)
        self.code = code  # type: ignore[misc] # the code of a class, for every other failure
