"""What every service is handed: the stores, the limits and the clock."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from glyphd.artifacts.folder import ArtifactFolder
from glyphd.domain.clock import Clock, utc_now
from glyphd.domain.gates import GateLimits
from glyphd.ingest.records import Limits
from glyphd.store.database import Database


@dataclass(frozen=True, slots=True)
class Context:
    """The stores of one installation.

    ``lease`` is how long a silent worker keeps its import. ``gates`` are the gates of each source, `*` of every source.
    """

    database: Database
    artifacts: ArtifactFolder
    lease: timedelta = timedelta(seconds=30)
    max_queue: int = 1000
    limits: Limits = field(default_factory=Limits)
    gates: Mapping[str, GateLimits] = field(default_factory=dict)
    clock: Clock = utc_now
