"""The life of an import: its states, which of them may follow which, and what each one shows."""

from enum import StrEnum


class Kind(StrEnum):
    """What an import is to its source. Only a batch takes a version; the others hang on a batch."""

    BATCH = "batch"
    REPLAY = "replay"
    AMENDMENT = "amendment"


class Status(StrEnum):
    """Where an import stands (DESIGN §3)."""

    RECEIVED = "received"
    RUNNING = "running"
    STAGED = "staged"
    PUBLISHED = "published"
    ROLLED_BACK = "rolled_back"
    DISCARDED = "discarded"
    FAILED = "failed"
    PURGED = "purged"


class OnError(StrEnum):
    """What a rejected record means for its import."""

    CONTINUE = "continue"
    ABORT = "abort"


class PublishMode(StrEnum):
    """Whether a clean import publishes itself or waits for a person."""

    AUTO = "auto"
    HOLD = "hold"


TRANSITIONS: dict[Status, frozenset[Status]] = {
    Status.RECEIVED: frozenset({Status.RUNNING, Status.DISCARDED, Status.FAILED}),
    Status.RUNNING: frozenset({Status.RUNNING, Status.STAGED, Status.PUBLISHED, Status.DISCARDED, Status.FAILED}),
    Status.STAGED: frozenset({Status.PUBLISHED, Status.DISCARDED}),
    Status.PUBLISHED: frozenset({Status.ROLLED_BACK}),
    Status.ROLLED_BACK: frozenset({Status.PUBLISHED, Status.PURGED}),
    Status.DISCARDED: frozenset({Status.PURGED}),
    Status.FAILED: frozenset({Status.PURGED}),
    Status.PURGED: frozenset(),
}

PENDING = frozenset({Status.RECEIVED, Status.RUNNING})
"""A worker still has to do something: the outcome is not known."""

READABLE_BY_NAME = frozenset({Status.STAGED, Status.PUBLISHED})
"""`GET /api/listings?import_id=` answers their rows; for every other state it answers an empty array (G3)."""

DISCARDABLE = frozenset({Status.RECEIVED, Status.RUNNING, Status.STAGED})

ROWS_TO_REMOVE = frozenset({Status.FAILED, Status.DISCARDED})
"""They count 0 rows; a worker removes what they left."""


def may_become(current: Status, following: Status) -> bool:
    """Tell whether the life cycle allows this step."""
    return following in TRANSITIONS[current]
