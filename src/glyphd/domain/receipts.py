"""What a roll back, a restore or a purge did: the receipt that its answer is."""

from dataclasses import dataclass, field
from datetime import datetime

from glyphd.domain.imports import Status


@dataclass(frozen=True, slots=True)
class BatchView:
    """A published batch as readers see it: ``count`` rows of ``import_ids``, which stand for it or add to it."""

    import_id: str
    source_version: int | None
    observed_at: datetime | None
    count: int
    import_ids: list[str]


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a change of state did to what readers see, in this transaction and no other.

    ``hidden_imports`` are no longer read and ``shown_imports`` are again, with their rows: rolling back a replay hides
    it and shows its batch. ``later_imports`` are the published batches of the source after this one, in order of time,
    ``current_view`` is what the source shows now. Asked for once more it is not ``changed``, and both lists are empty.
    """

    import_id: str
    status: Status
    source: str
    changed: bool
    rows_hidden: int
    rows_shown: int
    hidden_imports: list[str]
    shown_imports: list[str]
    later_imports: list[BatchView]
    current_view: BatchView | None


@dataclass(frozen=True, slots=True)
class PurgeReceipt:
    """What purging an import did, or would do; ``refusal`` says why nothing was done.

    ``purged_imports`` are the import and what hung on it, the latest first; ``rows`` and ``rejections`` what they had.
    ``removed_artifacts`` are the digests whose bytes nobody names any more: they are gone.
    """

    import_id: str
    refusal: str | None = None
    purged_imports: list[str] = field(default_factory=list)
    rows: int = 0
    rejections: int = 0
    removed_artifacts: list[str] = field(default_factory=list)
