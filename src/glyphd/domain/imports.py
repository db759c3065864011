"""The life of an import: its states, which of them may follow which, and what each one shows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple


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

HOLDING_ROWS = frozenset({Status.STAGED, Status.PUBLISHED, Status.ROLLED_BACK})
"""Their rows are there; whoever names the import in a diff, a report or a lineage is told of them (G3)."""

DISCARDABLE = frozenset({Status.RECEIVED, Status.RUNNING, Status.STAGED})

REPLAYABLE = HOLDING_ROWS

AMENDABLE = frozenset({Status.STAGED, Status.PUBLISHED})

PURGEABLE = frozenset({Status.ROLLED_BACK, Status.DISCARDED, Status.FAILED})

ROWS_TO_REMOVE = frozenset({Status.FAILED, Status.DISCARDED})
"""They count 0 rows; a worker removes what they left."""


def may_become(current: Status, following: Status) -> bool:
    """Tell whether the life cycle allows this step."""
    return following in TRANSITIONS[current]


@dataclass(frozen=True, slots=True)
class Artifact:
    """The bytes as submitted, under one role of one import."""

    role: str
    sha256: str
    bytes: int
    filename: str | None
    media_type: str


@dataclass(frozen=True, slots=True)
class Import:
    """One ingestion of one batch, as the ledger has it. Moments are UTC; prices USD."""

    id: int
    import_id: str
    imported_at: datetime
    source: str
    kind: Kind
    status: Status
    schema_version: str
    source_version: int | None
    previous_import_id: str | None
    parent_import_id: str | None
    campaign_id: str | None
    metadata: dict[str, Any]
    observed_at: datetime | None
    on_error: OnError
    publish_mode: PublishMode
    received: int
    count: int
    rejected: int
    error_counts: dict[str, int]
    warning_counts: dict[str, int]
    ignored_columns: list[str]
    column_mapping: dict[str, str]
    gates: list[dict[str, Any]]
    failure: dict[str, Any] | None
    min_price: float | None
    max_price: float | None
    min_score: float | None
    max_score: float | None
    uncounted_facets: list[str]
    started_at: datetime | None
    completed_at: datetime | None
    published_at: datetime | None
    worker: str | None
    lease_expires_at: datetime | None
    fencing_token: int
    attempts: int
    records_done: int
    bytes_done: int
    bytes_total: int | None
    progressed_at: datetime | None
    rows_to_remove: bool


class ImportSort(StrEnum):
    """In what order imports are told: by when they were received or observed, by their rows or their rejections.

    A `-` puts the greatest first; imports that are alike stand in the order of their receipt, in the same direction.
    """

    NEWEST = "-imported_at"
    OLDEST = "imported_at"
    LATEST_OBSERVED = "-observed_at"
    EARLIEST_OBSERVED = "observed_at"
    MOST_ROWS = "-count"
    FEWEST_ROWS = "count"
    MOST_REJECTED = "-rejected"
    FEWEST_REJECTED = "rejected"

    @property
    def column(self) -> str:
        """What it is sorted by."""
        return self.removeprefix("-")

    @property
    def descends(self) -> bool:
        """Whether the greatest comes first."""
        return self.startswith("-")


class ImportPlace(NamedTuple):
    """Where a page of imports ended: the last one's number in the ledger, and by what it stood there.

    A moment is given in microseconds since 1970; one that is not known is 0.
    """

    id: int
    key: int


@dataclass(frozen=True, slots=True)
class ImportFilters:
    """Which imports are wanted; ``since`` (inclusive) and ``until`` (exclusive) are about the time of receipt.

    ``metadata`` are members that an import's metadata must hold, each with a scalar value. ``visible``: only imports
    whose rows are read without naming them.
    """

    source: str | None = None
    parent_import_id: str | None = None
    statuses: Sequence[Status] = ()
    since: datetime | None = None
    until: datetime | None = None
    campaign_id: str | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)
    visible: bool = False
    sort: ImportSort = ImportSort.NEWEST


_ACTIONS: dict[str, frozenset[Status]] = {
    "publish": frozenset({Status.STAGED}),
    "discard": DISCARDABLE,
    "rollback": frozenset({Status.PUBLISHED}),
    "restore": frozenset({Status.ROLLED_BACK}),
    "purge": PURGEABLE,
    "replay": REPLAYABLE,
    "amend": AMENDABLE,
}


_SHOWING = frozenset({"publish", "restore"})
"""They show an import; what hangs on a batch is shown with it only."""


def possible_in(kind: Kind, status: Status, *, parent_published: bool = True) -> list[str]:
    """Return what can be done with an import, now that what it hangs on, if anything, is published or not.

    A batch alone is amended. Asking for a replay of a replay is asking for one of its batch, whatever became of the
    replay; an amendment has none.
    """
    possible = [action for action, states in _ACTIONS.items() if status in states]
    if kind is Kind.BATCH:
        return possible
    left_out = {"replay", "amend"} | (set() if parent_published else _SHOWING)
    again = ["replay"] if kind is Kind.REPLAY and parent_published else []
    return [action for action in possible if action not in left_out] + again


def state_of(entry: Import, *, parent_published: bool = True) -> dict[str, Any]:
    """Return what a refusal says of an import: its state, and what is possible in it."""
    possible = possible_in(entry.kind, entry.status, parent_published=parent_published)
    return {"import_id": entry.import_id, "import_status": entry.status, "possible": possible}
