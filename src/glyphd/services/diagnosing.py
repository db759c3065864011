"""Diagnose an installation: check everything it stands on, and say what to do about each thing found.

Every check is made whatever the others find; one that needs what was found broken says that it could not be made.
Nothing is changed, but for a file that comes and goes in the artifact folder.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from glyphd.domain.findings import RESTORE, Check, Finding, Level
from glyphd.errors import GlyphdError, NoSpaceLeft
from glyphd.services.checks.artifacts import check_artifact_folder, compare_artifacts
from glyphd.services.checks.clocks import check_ledger_times, compare_database_clock, compare_disk_clock
from glyphd.services.checks.database import check_database, check_integrity, check_schema, check_writing
from glyphd.services.checks.disks import check_disks
from glyphd.services.checks.leases import check_leases
from glyphd.services.context import Context


@dataclass(frozen=True, slots=True)
class _Step:
    """One part of a check, and the check without which it cannot be made."""

    check: Check
    subject: str
    make: Callable[[Context], Iterable[Finding]]
    needs: Check | None = None


# In this order: what others need comes before them, and a check that lacks the database counts as broken from there on.
_STEPS = (
    _Step(Check.DATABASE, "The database", check_database),
    _Step(Check.INTEGRITY, "The database's integrity", check_integrity, Check.DATABASE),
    _Step(Check.SCHEMA, "The schema revision", check_schema, Check.DATABASE),
    _Step(Check.ARTIFACTS, "The artifact store", check_artifact_folder),
    _Step(Check.CLOCK, "The clock of the artifact folder's disk", compare_disk_clock, Check.ARTIFACTS),
    _Step(Check.ARTIFACTS, "What the ledger says of artifacts", compare_artifacts, Check.SCHEMA),
    _Step(Check.LEASES, "What runs and what waits", check_leases, Check.SCHEMA),
    _Step(Check.CLOCK, "The database's clock", compare_database_clock, Check.DATABASE),
    _Step(Check.CLOCK, "What the ledger says of times", check_ledger_times, Check.SCHEMA),
    _Step(Check.DISK, "The disks", check_disks),
    _Step(Check.DATABASE, "Writing to the database", check_writing, Check.DATABASE),  # last: what reads needs it not
)

_REASONS = {
    Check.DATABASE: "the database cannot be used",
    Check.SCHEMA: "the database is not at this glyphd's schema revision",
    Check.ARTIFACTS: "the artifact store cannot be written",
}
"""Why other checks cannot be made."""

_ADVICE = {
    Check.DATABASE: "Check GLYPHD_DATABASE_URL, the rights to the database, and whether its server runs.",
    Check.INTEGRITY: RESTORE,
    Check.ARTIFACTS: "Check GLYPHD_ARTIFACTS_URL, and the rights to that folder.",
}
_AGAIN = (
    "Run `glyphd doctor` again; if it stays so, look after what else it found, and the rights to files and folders."
)
"""What to do when the check itself fails."""


def diagnose(context: Context) -> list[Finding]:
    """Make every check, and return the findings in the order of :class:`Check`. Never raises for what it finds."""
    findings: list[Finding] = []
    broken: dict[Check, str] = {}
    for step in _STEPS:
        if step.needs in broken:
            reason = broken.setdefault(step.check, broken[step.needs])
            said = f"{step.subject} could not be checked, since {reason}."
            findings.append(Finding(step.check, Level.WARNING, said, "Mend that, and run `glyphd doctor` again."))
            continue
        found = list(_made(step, context))
        findings += found
        if step.check in _REASONS and any(finding.level is Level.PROBLEM for finding in found):
            broken.setdefault(step.check, _REASONS[step.check])
    return sorted(findings, key=lambda finding: list(Check).index(finding.check))


def _made(step: _Step, context: Context) -> Iterator[Finding]:
    try:
        yield from step.make(context)
    except NoSpaceLeft as exc:
        yield Finding(step.check, Level.PROBLEM, exc.detail, "Make room on its disk.")
    except GlyphdError as exc:
        yield Finding(step.check, Level.PROBLEM, exc.detail, _ADVICE.get(step.check, _AGAIN))
    except OSError as exc:
        said = f"{step.subject} could not be checked: {exc}."
        yield Finding(step.check, Level.PROBLEM, said, _ADVICE.get(step.check, _AGAIN))
