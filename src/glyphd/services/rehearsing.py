"""Judge a batch exactly as its import would, and store nothing.

What is rehearsed and what is found can be pickled, so that a process of its own can do it: a big batch is seconds
of work.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from glyphd.domain.imports import OnError
from glyphd.domain.listing import SCHEMA_VERSIONS
from glyphd.domain.report import ModelCount, RecordError
from glyphd.errors import FileFault, UnsupportedFormat
from glyphd.ingest.derivation import Derivation
from glyphd.ingest.judgement import Judgement
from glyphd.ingest.records import Limits
from glyphd.ingest.submitted import SubmittedFile, open_submitted
from glyphd.services.reporting import ERRORS_LIMIT, TOP_MODELS, range_of, record_errors


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """A batch as files, and how it is to be judged. ``spool`` is a directory for what need not outlast it."""

    files: Sequence[SubmittedFile]
    schema_version: str
    on_error: OnError
    received_at: datetime
    limits: Limits
    spool: Path


@dataclass(frozen=True, slots=True)
class Findings:
    """What would come of the batch: the members of its report that the batch alone decides, prices in USD.

    ``columns`` is header as submitted → field, or None for a column that is ignored; ``failure`` is None when it would
    be imported; ``satisfies`` are the schema versions under which it would.
    """

    received: int
    rejected: int
    warning_counts: dict[str, int]
    errors: list[RecordError]
    error_counts: dict[str, int]
    errors_truncated: bool
    ignored_columns: list[str]
    columns: dict[str, str | None]
    failure: dict[str, Any] | None
    satisfies: list[str]
    count: int = 0
    price_range: tuple[float, float] | None = None
    score_range: tuple[float, float] | None = None
    top_models: list[ModelCount] = field(default_factory=list)


def rehearse(rehearsal: Rehearsal) -> Findings:
    """Judge a batch under the schema version that is asked for, and tell which others it satisfies."""
    judgement = _judgement(rehearsal, rehearsal.schema_version)
    with Derivation(rehearsal.spool) as derivation:
        errors, failure = _judge(rehearsal, judgement, derivation)
        figures = _figures(judgement, derivation) if failure is None else {}
    mapping = judgement.columns.mapping
    return Findings(
        received=judgement.received,
        rejected=judgement.rejected,
        warning_counts=dict(judgement.warning_counts),
        errors=errors,
        error_counts=dict(judgement.error_counts),
        errors_truncated=judgement.error_counts.total() > len(errors),
        ignored_columns=judgement.columns.ignored,
        columns={name: mapping.get(name) for name in judgement.columns.header},
        failure=failure,
        satisfies=_satisfied(rehearsal, holds=failure is None),
        **figures,
    )


def _judgement(rehearsal: Rehearsal, schema_version: str) -> Judgement:
    return Judgement(schema_version, rehearsal.received_at, rehearsal.on_error)


def _judge(
    rehearsal: Rehearsal, judgement: Judgement, derivation: Derivation | None = None
) -> tuple[list[RecordError], dict[str, Any] | None]:
    """Read the whole batch; return the first issues of its records, and what an import would fail with."""
    errors: list[RecordError] = []
    try:
        reader = open_submitted(
            rehearsal.files,
            schema_version=judgement.schema_version,
            limits=rehearsal.limits,
            spool=rehearsal.spool,
        )
        for verdict in judgement.verdicts(reader):
            found = record_errors((rejected.import_index, rejected.issues) for rejected in verdict.rejections)
            errors += found[: ERRORS_LIMIT - len(errors)]
            if derivation is not None:
                derivation.add(verdict.accepted)
    except (FileFault, UnsupportedFormat) as exc:
        return errors, exc.description()
    return errors, None


def _satisfied(rehearsal: Rehearsal, *, holds: bool) -> list[str]:
    """Return the schema versions under which the batch would be imported; whether for its own is known."""
    known = {rehearsal.schema_version: holds}
    others = [version for version in SCHEMA_VERSIONS if version not in known]
    known |= {version: _judge(rehearsal, _judgement(rehearsal, version))[1] is None for version in others}
    return [version for version in SCHEMA_VERSIONS if known[version]]


def _figures(judgement: Judgement, derivation: Derivation) -> dict[str, Any]:
    counts = derivation.statistics().select("canonical_model", "listing_count")
    top = counts.sort("listing_count", "canonical_model", descending=[True, False]).head(TOP_MODELS)
    return {
        "count": judgement.count,
        "price_range": range_of(derivation.min_price, derivation.max_price),
        "score_range": range_of(derivation.min_score, derivation.max_score),
        "top_models": [ModelCount(*row) for row in top.iter_rows()],
    }
