"""`glyphd export`: all listings that match, as one file; or all of them as a lake."""

from pathlib import Path
from typing import Annotated, Any

import typer

from glyphd.cli import options
from glyphd.cli.installation import Installation, opened_installation
from glyphd.cli.lake import update_lake
from glyphd.cli.output import console
from glyphd.cli.writing import write_output
from glyphd.domain.report import ExportFormat

PRICE = typer.Option(min=0, help="USD, inclusive.")
SCORE = typer.Option(min=0, max=100, help="Inclusive.")
EXACT = typer.Option(help="Exact.")
MOMENT = typer.Option(metavar="TIME", help="About seen_at (ISO 8601): at or after, and before.")
OUTPUT = typer.Option("--output", "-o", metavar="FILE|FOLDER/", help="Write it there; a folder becomes a lake.")


def export(  # noqa: PLR0913 - the options of the command
    *,
    source: Annotated[str | None, typer.Option(help="Only imports of this source.")] = None,
    import_id: Annotated[str | None, typer.Option(metavar="ID", help="Only this import.")] = None,
    model: Annotated[str | None, typer.Option(help="Exact, but for case, spaces, - and _.")] = None,
    min_price: Annotated[float | None, PRICE] = None,
    max_price: Annotated[float | None, PRICE] = None,
    min_score: Annotated[float | None, SCORE] = None,
    max_score: Annotated[float | None, SCORE] = None,
    region: Annotated[str | None, EXACT] = None,
    seller: Annotated[str | None, EXACT] = None,
    condition: Annotated[str | None, EXACT] = None,
    after: Annotated[str | None, MOMENT] = None,
    before: Annotated[str | None, MOMENT] = None,
    q: Annotated[str | None, typer.Option(help="Text found in model, seller, notes, region or URL.")] = None,
    as_of: Annotated[str | None, typer.Option(metavar="TIME", help="The market as it was then (ISO 8601).")] = None,
    current: Annotated[bool, typer.Option("--current", help="Only each source's latest batch.")] = False,
    form: Annotated[ExportFormat, typer.Option("--format", help="Of the file.")] = ExportFormat.PARQUET,
    output: Annotated[str | None, OUTPUT] = None,
) -> None:
    """Export all listings that match, with where each came from; to a folder every visible import as a file of its own.

    Such a lake is partitioned by source and import_id; run again, it is brought up to date.
    """
    given = {name: value for name, value in locals().items() if name not in {"form", "output"} and value is not False}
    query = options.said(**given)
    if import_id and (current or as_of):
        raise typer.BadParameter("--import-id names one import, --current and --as-of a view of all sources.")
    with opened_installation() as installation:
        _export(installation, query, form, output)


def _export(installation: Installation, query: dict[str, Any], form: ExportFormat, output: str | None) -> None:
    if output is None or not (output.endswith("/") or Path(output).is_dir()):
        write_output(installation.export(form, query), Path(output) if output else None)
        return
    if query.keys() - {"source"} or form is not ExportFormat.PARQUET:
        raise typer.BadParameter("a lake has whole imports as Parquet: of all that, only --source narrows it")
    change = update_lake(installation, Path(output), query.get("source"))
    said = f"{change.added} imports added, {change.removed} removed, {change.kept} kept"
    console.print(f"{said}, {change.skipped} skipped" if change.skipped else said, highlight=False)
