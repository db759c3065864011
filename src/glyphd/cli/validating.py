"""`glyphd validate`."""

from functools import partial

import typer

from glyphd.cli import options
from glyphd.cli.batches import run_all, tell_errors
from glyphd.cli.installation import opened_installation
from glyphd.cli.output import AsJson, ExitCode, console, plain, print_failure, print_json
from glyphd.domain.report import ValidationReport


def validate(  # noqa: PLR0913 - the options of the command
    files: options.Files = None,
    *,
    enriched: options.Enriched = None,
    scored: options.Scored = None,
    source: options.Source = None,
    on_error: options.GivenOnError = None,
    schema_version: options.SchemaVersion = None,
    strict: options.Strict = False,
    as_json: AsJson = False,
) -> None:
    """Tell what an import of files would report, and store nothing; exit with 1 when one would not be imported."""
    batches = options.batches_of(files, enriched, scored)
    given = options.said(source=source, on_error=on_error, schema_version=schema_version)
    with opened_installation() as installation:
        runs = [(options.name_of(each), partial(installation.validate, each, given)) for each in batches]
        raise typer.Exit(run_all(runs, partial(_tell_validation, strict=strict, as_json=as_json)))


def _tell_validation(name: str, report: ValidationReport, *, strict: bool, as_json: bool) -> ExitCode:
    print_json(report) if as_json else _tell(name, report)
    if not report.would_import:
        return ExitCode.FAILED
    return ExitCode.PARTIAL if strict and report.rejected else ExitCode.OK


def _tell(name: str, report: ValidationReport) -> None:
    outcome = "would be imported" if report.would_import else "would not be imported"
    console.print(
        f"[bold]{plain(name)}[/] → {outcome}: "
        f"{report.received:,} received, {report.count:,} to be stored, {report.rejected:,} rejected",
        highlight=False,
        soft_wrap=True,
    )
    if report.failure:
        print_failure(report.failure["title"], report.failure["detail"])
    satisfied = ", ".join(report.satisfies) or "no schema version"
    read = ", ".join(f"{column} as {field}" for column, field in report.columns.items() if field not in {None, column})
    for label, said in {
        "format": report.format,
        "satisfies": satisfied,
        "read": read,
        "ignored": ", ".join(report.ignored_columns),
        "already imported as": report.duplicate_of,
    }.items():
        if said:
            console.print(f"  {label} {plain(said)}", highlight=False, soft_wrap=True)
    if not tell_errors(report.errors):
        console.print("  … more in --json", highlight=False)
