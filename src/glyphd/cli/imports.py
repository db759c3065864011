"""`glyphd imports …`: verbs about one import."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Annotated

import typer

from glyphd.bootstrap import opened_context
from glyphd.cli.output import (
    AsJson,
    console,
    failures_reported,
    plain,
    print_json,
    print_table,
    read_settings,
    whoever,
)
from glyphd.domain.imports import ImportFilters, Status
from glyphd.services import digesting, discarding, inspecting, reporting, returning
from glyphd.services.context import Context

app = typer.Typer(help="Look at imports, and take them out.", no_args_is_help=True)

ImportId = Annotated[str, typer.Argument(metavar="ID", help="The import's id.")]


@contextmanager
def _opened() -> Iterator[Context]:
    with failures_reported(), opened_context(read_settings()) as context:
        yield context


@app.command("list")
def list_imports(
    source: Annotated[str | None, typer.Option(help="Only this source.")] = None,
    status: Annotated[list[Status] | None, typer.Option(help="Only these states; may be repeated.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="At most this many.")] = 20,
    *,
    as_json: AsJson = False,
) -> None:
    """List imports, newest first."""
    with _opened() as context:
        filters = ImportFilters(source=source, statuses=status or ())
        reports, _ = reporting.report_imports(context, filters, limit=limit)
    if as_json:
        print_json(reports)
        return
    columns = ("import_id", "source", "version", "status", "received", "count", "rejected", "imported_at")
    rows = [
        (r.import_id, r.source, r.source_version, r.status, r.received, r.count, r.rejected, f"{r.imported_at:%F %TZ}")
        for r in reports
    ]
    print_table(columns, rows, empty="No imports yet: try `glyphd import FILE`.")


@app.command("show")
def show_import(import_id: ImportId, *, as_json: AsJson = False) -> None:
    """Show the report of one import."""
    with _opened() as context:
        report = reporting.report_import(context, import_id)
    if as_json:
        print_json(report)
        return
    shown = {name: value for name, value in asdict(report).items() if value not in (None, [], {}) and name != "errors"}
    print_table(("", ""), list(shown.items()), empty="")
    for error in report.errors:
        console.print(f"  record {error.import_index}: {plain(error.message)} ({error.code})", highlight=False)


@app.command("rejections")
def list_rejections(
    import_id: ImportId,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="At most this many.")] = 100,
    *,
    csv: Annotated[bool, typer.Option("--csv", help="All of them as CSV, to fix and import again.")] = False,
    as_json: AsJson = False,
) -> None:
    """List the records of an import that were not stored, and why."""
    with _opened() as context:
        if csv:
            for line in returning.return_rejections(context, import_id):
                sys.stdout.buffer.write(line)
            sys.stdout.buffer.flush()
            return
        found, _ = inspecting.inspect_rejections(context, import_id, limit=limit)
    if as_json:
        print_json(found)
        return
    rows = [(r.import_index, issue.field, issue.code, issue.message, issue.value) for r in found for issue in r.issues]
    print_table(("record", "field", "code", "message", "value"), rows, empty="No record was rejected.")


@app.command("discard")
def discard_import(
    import_id: ImportId,
    reason: Annotated[str | None, typer.Option(help="Why, for the audit trail.")] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Take out an import that is not published; one that waits or runs is cancelled."""
    with _opened() as context:
        discarding.discard_import(context, import_id, whoever(), reason)
        report = reporting.report_import(context, import_id)
    print_json(report) if as_json else console.print(f"{report.import_id} is {report.status}.", highlight=False)


@app.command("digest")
def digest_import(import_id: ImportId, *, as_json: AsJson = False) -> None:
    """Print the row digest of an import: the same wherever the same rows are, on any database."""
    with _opened() as context:
        digest = digesting.digest_import(context, import_id)
    print_json({"import_id": import_id, "row_digest": digest}) if as_json else typer.echo(digest)
