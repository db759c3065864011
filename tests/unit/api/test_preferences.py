"""`Prefer` (RFC 7240): what is understood, what is ignored, what is said to have been applied."""

import pytest
from starlette.requests import Request

from glyphd.api.preferences import Preferences, read_preferences

READ = [
    ([], Preferences()),
    (["respond-async"], Preferences(respond_async=True)),
    (["Respond-Async"], Preferences(respond_async=True)),
    (["respond-async; foo=1"], Preferences(respond_async=True)),
    (["wait=10"], Preferences(wait=10)),
    (["wait = 10"], Preferences(wait=10)),
    (["wait=0"], Preferences(wait=0)),
    (["respond-async, wait=10"], Preferences(respond_async=True, wait=10)),
    (["wait=10", "respond-async"], Preferences(respond_async=True, wait=10)),
    (["wait=10, wait=20"], Preferences(wait=10)),
    (['return="a, respond-async, b", wait=3'], Preferences(wait=3)),
    (["respond-async=no"], Preferences()),
    (["wait"], Preferences()),
    (["wait=-1"], Preferences()),
    (["wait=1.5"], Preferences()),
    (["wait=soon"], Preferences()),
    (["wait=٣"], Preferences()),
    (["wait=" + "9" * 5000], Preferences()),
    ([",,;=,"], Preferences()),
]


@pytest.mark.parametrize(("headers", "expected"), READ)
def test_what_is_understood_counts_and_the_rest_is_ignored(headers: list[str], expected: Preferences) -> None:
    """Names ignore case, the first of two counts, text in quotes is no preference."""
    raw = [(b"prefer", header.encode("utf-8")) for header in headers]

    assert expected == read_preferences(Request({"type": "http", "headers": raw}))


@pytest.mark.parametrize(
    ("preferences", "seconds", "pending", "finished"),
    [
        (Preferences(), 60, None, None),
        (Preferences(respond_async=True), 0, "respond-async", None),
        (Preferences(wait=10), 10, "wait=10", "wait=10"),
        (Preferences(wait=90), 60, "wait=60", "wait=60"),
        (Preferences(respond_async=True, wait=5), 5, "wait=5, respond-async", "wait=5"),
    ],
)
def test_the_answer_tells_what_was_applied(
    preferences: Preferences, seconds: float, pending: str | None, finished: str | None
) -> None:
    """A wait is cut to what the server allows, and said so; an outcome that was there was not answered early."""
    assert seconds == preferences.seconds(60)
    assert pending == preferences.applied(60, pending=True).get("Preference-Applied")
    assert finished == preferences.applied(60, pending=False).get("Preference-Applied")
