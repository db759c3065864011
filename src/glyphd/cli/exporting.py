"""`glyphd export`: all listings that match, as one file; or all of them as a lake."""

from pathlib import Path
from typing import Annotated, Any

import typer

from glyphd.cli.installation import opened_installation
from glyphd.cli.lake import LakeChange, update_lake
from glyphd.cli.output import console
from glyphd.cli.writing import write_output
from glyphd.domain.report import ExportFormat


def export(
    source: Annotated[str | None, typer.Option(help="Only imports of this source.")] = None,
    model: Annotated[str | None, typer.Option(help="Exact, but for case, spaces, - and _.")] = None,
    import_id: Annotated[str | None, typer.Option(metavar="ID", help="Only this import.")] = None,
    as_of: Annotated[str | None, typer.Option(metavar="TIME", help="The market as it was then (ISO 8601).")] = None,
    form: Annotated[ExportFormat, typer.Option("--format", help="Of the file.")] = ExportFormat.PARQUET,
    output: Annotated[
        str | None,
        typer.Option("--output", "-o", metavar="FILE|FOLDER/", help="Write it there; a folder becomes a lake."),
    ] = None,
    *,
    current: Annotated[bool, typer.Option("--current", help="Only each source's latest batch.")] = False,
) -> None:
    """Export all listings that match, with where each came from.

    To a folder: every visible import as a file of its own, partitioned by source and import_id; run again, it is
    brought up to date.
    """
    asked = {"source": source, "model": model, "import_id": import_id, "as_of": as_of, "current": current or None}
    query: dict[str, Any] = {name: value for name, value in asked.items() if value is not None}
    if import_id and (current or as_of):
        raise typer.BadParameter("--import-id names one import, --current and --as-of a view of all sources.")
    with opened_installation() as installation:
        if output is not None and _is_folder(output):
            if query.keys() - {"source"} or form is not ExportFormat.PARQUET:
                raise typer.BadParameter("a lake has whole imports as Parquet: of all that, only --source narrows it")
            _tell(update_lake(installation, Path(output), source))
            return
        write_output(installation.export(form, query), Path(output) if output else None)


def _is_folder(output: str) -> bool:
    return output.endswith("/") or Path(output).is_dir()


def _tell(change: LakeChange) -> None:
    said = f"{change.added} imports added, {change.removed} removed, {change.kept} kept"
    console.print(f"{said}, {change.skipped} skipped" if change.skipped else said, highlight=False)
