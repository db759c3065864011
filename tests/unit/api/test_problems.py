"""The shape of a problem, whatever a failure carries."""

import json

from glyphd.api.problems import problem_response
from glyphd.errors import IllegalTransition, InvalidParameter, QueueFull


def test_what_a_failure_carries_never_replaces_what_a_problem_says() -> None:
    """`status` is the HTTP status, though the failure has a member of that name too."""
    answer = problem_response(IllegalTransition("No.", status="published", extra=1), members={"code": "x", "more": 2})

    assert {
        "type": "/problems/illegal_transition",
        "title": "The state of the import does not allow this",
        "status": 409,
        "detail": "No.",
        "code": "illegal_transition",
        "extra": 1,
        "more": 2,
    } == json.loads(answer.body)


def test_text_that_json_cannot_carry_is_escaped() -> None:
    """A lone surrogate is shown as its escape; everything else stays as it is."""
    answer = problem_response(InvalidParameter("a\ud800b \U0001f4be é", parameter="\udcff"))

    body = json.loads(bytes(answer.body).decode("utf-8"))

    assert ("a\\ud800b \U0001f4be é", "\\udcff") == (body["detail"], body["parameter"])


def test_a_client_that_may_try_again_is_told_when() -> None:
    """`Retry-After` with a 429, and the media type of problems."""
    answer = problem_response(QueueFull())

    assert (429, "5", "application/problem+json") == (
        answer.status_code,
        answer.headers["Retry-After"],
        answer.headers["Content-Type"],
    )
