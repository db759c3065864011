"""What a failure is made of."""

from enum import StrEnum
from typing import Any, ClassVar


class Kind(StrEnum):
    """What sort of failure it is; the edges need nothing else to answer."""

    SYNTAX = "syntax"
    NOT_FOUND = "not_found"
    NOT_ALLOWED = "not_allowed"
    CONFLICT = "conflict"
    TOO_LARGE = "too_large"
    UNSUPPORTED = "unsupported"
    UNSATISFIABLE = "unsatisfiable"
    INVALID = "invalid"
    BUSY = "busy"
    FAULT = "fault"
    UNAVAILABLE = "unavailable"
    NO_SPACE = "no_space"


class GlyphdError(Exception):
    """Something went wrong."""

    code: ClassVar[str] = "error"
    kind: ClassVar[Kind] = Kind.FAULT

    def __init__(self, detail: str | None = None, **members: Any) -> None:
        """Keep the detail, and members such as ``import_id`` or ``line`` that the problem carries along."""
        self.detail = detail or self.title()
        self.members = members
        super().__init__(self.detail)

    def description(self) -> dict[str, Any]:
        """Return the failure as the ledger and reports keep it."""
        return {"code": self.code, "title": self.title(), "detail": self.detail, **self.members}

    @classmethod
    def title(cls) -> str:
        """Return what this failure is called, the same for every case of it."""
        return (cls.__doc__ or cls.__name__).strip().splitlines()[0].rstrip(".")
