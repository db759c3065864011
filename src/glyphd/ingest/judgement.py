"""What comes of a batch: which records are kept, what is counted, and whether it can be imported at all.

The one place that decides it, whether the batch is stored (services/running.py) or only looked at
(services/rehearsing.py).
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime

from glyphd.domain.imports import OnError
from glyphd.errors import NoValidRecord, RejectedRecords
from glyphd.ingest.ahead import read_ahead
from glyphd.ingest.columns import ColumnMapping
from glyphd.ingest.records import RecordReader
from glyphd.ingest.validate import Validator, Verdict


@dataclass(slots=True)
class Judgement:
    """The judgement of one batch, and what it has counted so far: the verdicts that were handed out and dealt with."""

    schema_version: str
    received_at: datetime
    on_error: OnError
    received: int = 0
    count: int = 0
    rejected: int = 0
    error_counts: Counter[str] = field(default_factory=Counter)
    cell_warnings: Counter[str] = field(default_factory=Counter)
    columns: ColumnMapping = field(default_factory=ColumnMapping)

    def verdicts(self, reader: RecordReader) -> Iterator[Verdict]:
        """Yield the verdict on each chunk. With on_error abort nothing is accepted from the first rejection on.

        Raises FileFault, at the latest in the end: RejectedRecords or NoValidRecord.
        """
        validator = Validator(self.schema_version, self.received_at)
        for received, verdict in read_ahead((chunk.received, validator.validate(chunk)) for chunk in reader):
            self.columns = reader.columns
            kept = self._kept(verdict)
            yield kept
            self._count(received, kept)
        self.columns = reader.columns
        if self.rejected and self.on_error is OnError.ABORT:
            raise RejectedRecords(f"{self.rejected} of {self.received} records were rejected, and on_error is abort.")
        if not self.count:
            raise NoValidRecord(f"{self.received} of {self.received} records were rejected.")

    @property
    def warning_counts(self) -> Counter[str]:
        """How often each warning was given, about cells and about columns."""
        return self.cell_warnings + self.columns.warning_counts

    def _kept(self, verdict: Verdict) -> Verdict:
        if self.on_error is OnError.ABORT and (self.rejected or verdict.rejections):
            return replace(verdict, accepted=verdict.accepted.clear())
        return verdict

    def _count(self, received: int, kept: Verdict) -> None:
        self.received += received
        self.count += len(kept.accepted)
        self.rejected += len(kept.rejections)
        self.error_counts.update(kept.error_counts)
        self.cell_warnings.update(kept.warning_counts)
