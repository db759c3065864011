"""The header `Prefer` (RFC 7240): how long a client would wait for an outcome. What is not understood is ignored."""

import re
from dataclasses import dataclass

from fastapi import Request

_STRING = re.compile(r'"(?:[^"\\]|\\.)*"')
LONGEST_DIGITS = 9


@dataclass(frozen=True, slots=True)
class Preferences:
    """What a client prefers. ``wait`` is in seconds; None when it did not say."""

    respond_async: bool = False
    wait: int | None = None

    def seconds(self, most: float) -> float:
        """Return how long to wait: what was asked, else not at all for `respond-async`, else the most."""
        if self.wait is not None:
            return min(self.wait, most)
        return 0 if self.respond_async else most

    def applied(self, most: float, *, pending: bool) -> dict[str, str]:
        """Return the header that says what was applied; `respond-async` is when the outcome was not waited for."""
        asked = [f"wait={self.seconds(most):g}"] if self.wait is not None else []
        asked += ["respond-async"] if self.respond_async and pending else []
        return {"Preference-Applied": ", ".join(asked)} if asked else {}


def read_preferences(request: Request) -> Preferences:
    """Read the preferences of a request; of one that is given twice the first counts."""
    found: dict[str, str] = {}
    for part in _STRING.sub('""', ",".join(request.headers.getlist("prefer"))).split(","):
        name, _, value = part.split(";")[0].partition("=")
        found.setdefault(name.strip().lower(), value.strip())
    wait = found.get("wait", "")
    fits = wait.isascii() and wait.isdecimal() and len(wait) <= LONGEST_DIGITS
    return Preferences(respond_async=found.get("respond-async") == "", wait=int(wait) if fits else None)
