"""Why records were rejected: the issues of a report, grouped by their code."""

from dataclasses import dataclass

from pydantic import Field

from glyphd.api.schemas import Limit, PageParameters, Text
from glyphd.domain.issues import DESCRIPTIONS, IssueCode
from glyphd.domain.report import ImportReport, RecordError, ValidationReport

EXAMPLES = 3


class RejectionParameters(PageParameters):
    """Which rejections are shown."""

    code: IssueCode | None = Field(None, description="Only records with an issue of this code.")
    q: Text | None = Field(None, description="Text found in the record, a value or what is wrong with it.")
    limit: Limit = Field(50, description="Records a page.")


@dataclass(frozen=True, slots=True)
class RejectGroup:
    """All issues of one code; ``examples`` are the first of those that the report quotes, and may be none."""

    code: IssueCode
    description: str
    count: int
    examples: list[RecordError]


def by_code(report: ImportReport | ValidationReport) -> list[RejectGroup]:
    """Return the groups, the most frequent first."""
    counts = sorted(report.error_counts.items(), key=lambda counted: (-counted[1], counted[0]))
    return [
        RejectGroup(
            IssueCode(code),
            DESCRIPTIONS[IssueCode(code)],
            count,
            [error for error in report.errors if error.code == code][:EXAMPLES],
        )
        for code, count in counts
    ]
