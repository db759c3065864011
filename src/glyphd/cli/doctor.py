"""`glyphd doctor`."""

import typer

from glyphd.bootstrap import build_context
from glyphd.cli.installation import read_local_settings
from glyphd.cli.output import AsJson, ExitCode, console, errors, failures_reported, plain, print_json
from glyphd.domain.findings import Check, Finding, Level
from glyphd.services.diagnosing import diagnose

_COLOURS = {Level.OK: "green", Level.WARNING: "yellow", Level.PROBLEM: "bold red"}


def doctor(*, as_json: AsJson = False) -> None:
    """Check database, schema revision, artifact store, leases, clocks and disks; say what to do about each finding.

    Exits with 0 when nothing is worse than a warning, with 1 when there is a problem, and with 4 when the database
    cannot be used.
    """
    with failures_reported():
        context = build_context(read_local_settings())
    with errors.status("Looking at everything, the whole database included …"):  # shown to a terminal only
        findings = diagnose(context)
        context.database.dispose()
    if as_json:
        print_json(findings)
    else:
        for finding in findings:
            _tell(finding)
    raise typer.Exit(_exit_code(findings))


def _tell(finding: Finding) -> None:
    advice = f" [bold]{plain(finding.advice)}[/]" if finding.advice else ""
    level = f"[{_COLOURS[finding.level]}]{finding.level:<7}[/]"
    console.print(f"{level}  {finding.check:<9}  {plain(finding.found)}{advice}", highlight=False, soft_wrap=True)


def _exit_code(findings: list[Finding]) -> ExitCode:
    problems = [finding.check for finding in findings if finding.level is Level.PROBLEM]
    if Check.DATABASE in problems:
        return ExitCode.UNREACHABLE
    return ExitCode.FAILED if problems else ExitCode.OK
