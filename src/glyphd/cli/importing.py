"""`glyphd import`."""

import threading
import time
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from glyphd.bootstrap import opened_context
from glyphd.cli.output import (
    AsJson,
    ExitCode,
    console,
    errors,
    exit_code_of,
    failures_reported,
    plain,
    print_failure,
    print_json,
    read_settings,
    whoever,
)
from glyphd.domain.imports import PENDING, OnError, Status
from glyphd.domain.listing import DEFAULT_SCHEMA_VERSION
from glyphd.domain.report import ImportReport
from glyphd.errors import GlyphdError
from glyphd.logs import configure_logs
from glyphd.services.context import Context
from glyphd.services.options import ImportOptions
from glyphd.services.placing import read_options
from glyphd.services.receiving import receive_import, store_file
from glyphd.services.reporting import report_import
from glyphd.services.running import run_next
from glyphd.worker.loop import POLL_SECONDS, worker_name

_SHOWN_ERRORS = 10


def import_files(  # noqa: PLR0913 - the options of the command
    files: Annotated[list[Path], typer.Argument(metavar="FILE…", exists=True, dir_okay=False, help="Files to import.")],
    source: Annotated[str | None, typer.Option(help="Who the listings come from.")] = None,
    campaign_id: Annotated[str | None, typer.Option(help="The crawl campaign.")] = None,
    metadata: Annotated[str | None, typer.Option(help="A JSON object to keep with the import.")] = None,
    observed_at: Annotated[str | None, typer.Option(help="When the crawl was made (ISO 8601).")] = None,
    on_error: Annotated[OnError, typer.Option(help="abort: one rejected record fails the import.")] = OnError.CONTINUE,
    schema_version: Annotated[str, typer.Option(help="The row contract.")] = DEFAULT_SCHEMA_VERSION,
    *,
    strict: Annotated[bool, typer.Option("--strict", help="Exit with 3 when a record was rejected.")] = False,
    as_json: AsJson = False,
) -> None:
    """Import files into the local database; each is an import of its own."""
    given = {"source": source, "campaign_id": campaign_id, "metadata": metadata, "observed_at": observed_at}
    given |= {"on_error": on_error, "schema_version": schema_version}
    settings = read_settings()
    configure_logs("ERROR")
    with failures_reported(), opened_context(settings) as context:
        said = {name: value for name, value in given.items() if value is not None}
        options = read_options(context, said)
        codes = {_import_and_tell(context, options, file, strict=strict, as_json=as_json) for file in files}
    worst = next(code for code in _WORST_FIRST if code in codes)
    raise typer.Exit(worst)


_WORST_FIRST = (ExitCode.UNREACHABLE, ExitCode.FAILED, ExitCode.PARTIAL, ExitCode.OK)


def _import_and_tell(context: Context, options: ImportOptions, file: Path, *, strict: bool, as_json: bool) -> ExitCode:
    """Import one file and say what became of it; the files after it are imported whatever that is."""
    try:
        report = _import_file(context, options, file)
    except GlyphdError as exc:
        print_failure(f"{file.name}: {exc.title()}", exc.detail)
        return exit_code_of(exc)
    print_json(report) if as_json else _tell(file, report)
    if report.status in {Status.FAILED, Status.DISCARDED}:
        return ExitCode.FAILED
    return ExitCode.PARTIAL if strict and report.rejected else ExitCode.OK


def _import_file(context: Context, options: ImportOptions, file: Path) -> ImportReport:
    artifact = store_file(context, file)
    import_id = receive_import(context, options, [artifact], whoever())
    runner = threading.Thread(target=_run_until_finished, args=(context, import_id), daemon=True)
    runner.start()
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        TextColumn("{task.fields[done]}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=errors, transient=True, disable=not errors.is_terminal) as progress:
        task = progress.add_task(f"Importing {plain(file.name)}", total=None, done="")
        while runner.is_alive():
            runner.join(0.2)
            report = report_import(context, import_id)
            if report.progress:
                progress.update(task, done=f"{report.progress.records_done:,} records")
    return report_import(context, import_id)


def _run_until_finished(context: Context, import_id: str) -> None:
    """Run waiting imports until this one is finished; a worker of a server on the same database may be quicker."""
    name = worker_name()
    while report_import(context, import_id).status in PENDING:
        if not run_next(context, name):
            time.sleep(POLL_SECONDS)


def _tell(file: Path, report: ImportReport) -> None:
    console.print(
        f"[bold]{plain(file.name)}[/] → {report.status} {report.import_id}: "
        f"{report.received:,} received, {report.count:,} stored, {report.rejected:,} rejected",
        highlight=False,
        soft_wrap=True,
    )
    if report.failure:
        print_failure(report.failure["title"], report.failure["detail"])
    for error in report.errors[:_SHOWN_ERRORS]:
        console.print(f"  record {error.import_index}: {plain(error.message)} ({error.code})", highlight=False)
    if len(report.errors) > _SHOWN_ERRORS:
        console.print(f"  … all of them: glyphd imports rejections {report.import_id}", highlight=False)
