"""What a failure is made of."""

from enum import StrEnum
from typing import Any, ClassVar


class Kind(StrEnum):
    """What sort of failure it is; the edges need nothing else to answer."""

    SYNTAX = "syntax"
    UNAUTHENTICATED = "unauthenticated"
    FORBIDDEN = "forbidden"
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

    @property
    def import_id(self) -> str | None:
        """The import that it is about, if it names one."""
        return self.members.get("import_id")

    @property
    def status(self) -> int | None:
        """The HTTP status of the answer that it came in, if it came from a server."""
        return self.members.get("status")

    @classmethod
    def title(cls) -> str:
        """Return what this failure is called, the same for every case of it."""
        return (cls.__doc__ or cls.__name__).strip().splitlines()[0].rstrip(".")


def problem_types() -> dict[str, type[GlyphdError]]:
    """Return every failure that can be answered, by code."""
    found: dict[str, type[GlyphdError]] = {}
    waiting: list[type[GlyphdError]] = [GlyphdError]
    while waiting:
        kind = waiting.pop(0)
        found.setdefault(kind.code, kind)
        waiting.extend(kind.__subclasses__())
    return found
