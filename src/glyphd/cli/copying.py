"""`glyphd copy`."""

from contextlib import ExitStack
from dataclasses import asdict
from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from glyphd.bootstrap import build_context
from glyphd.cli.installation import read_local_settings
from glyphd.cli.output import AsJson, console, errors, failures_reported, plain, print_json
from glyphd.services.context import Context
from glyphd.services.copying import CopyReport, copy_installation, require_source
from glyphd.services.migrating import migrate_to


def copy(
    from_url: Annotated[str, typer.Option("--from", metavar="URL", help="Database to copy; it is only read.")],
    to_url: Annotated[
        str, typer.Option("--to", metavar="URL", help="Database to copy to; empty, or copied to before.")
    ],
    from_artifacts: Annotated[
        str | None, typer.Option(metavar="FOLDER", help="Submitted files of the source; as GLYPHD_ARTIFACTS_URL.")
    ] = None,
    to_artifacts: Annotated[
        str | None, typer.Option(metavar="FOLDER", help="Where they go; as GLYPHD_ARTIFACTS_URL.")
    ] = None,
    *,
    migrate: Annotated[bool, typer.Option("--migrate", help="Migrate the target first.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only count, and name what would go to legacy_raw.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Move house: copy imports, rows, rejections, events and files to another database; run it again to go on.

    Stop the servers and workers of the source first.
    """
    with failures_reported(), ExitStack() as opened:
        source_settings = read_local_settings(database_url=from_url, artifacts_url=from_artifacts)
        require_source(from_url)
        source = build_context(source_settings)
        opened.callback(source.database.dispose)
        target = build_context(read_local_settings(database_url=to_url, artifacts_url=to_artifacts))
        opened.callback(target.database.dispose)
        if migrate and not dry_run:
            migrate_to(target)
        report = _copy(source, target, dry_run=dry_run)
    print_json(asdict(report)) if as_json else _tell(report)


def _copy(source: Context, target: Context, *, dry_run: bool) -> CopyReport:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=errors, transient=True, disable=not errors.is_terminal) as progress:
        task = progress.add_task("Imports", total=None)
        return copy_installation(
            source,
            target,
            dry_run=dry_run,
            on_progress=lambda done, of: progress.update(task, completed=done, total=of),
        )


def _tell(report: CopyReport) -> None:
    done = "would be copied" if report.dry_run else "copied and verified"
    _say(f"{report.imports:,} imports {done}: {report.rows:,} rows, {report.rejections:,} rejections.")
    if report.verified or report.left_to_target:
        _say(
            f"{report.verified:,} were there already, as they should be; {report.left_to_target:,} a worker there has."
        )
    if report.artifacts:
        _say(f"{report.artifacts:,} files copied.")
    for each in report.legacy_raw:
        _say(f"  to legacy_raw: {each.values:,} of {each.table}.{each.column}")
    if report.left_behind:
        _say(f"  left behind: {', '.join(report.left_behind)}")
    for missing in report.missing_artifacts:
        errors.print(f"[bold yellow]Warning[/]: {plain(missing)}", highlight=False, soft_wrap=True)


def _say(sentence: str) -> None:
    console.print(plain(sentence), highlight=False, soft_wrap=True)
