"""`glyphd export`: all listings that match, as one file."""

from typing import Annotated, Any

import typer

from glyphd.cli.installation import opened_installation
from glyphd.cli.writing import OutputFile, write_output
from glyphd.domain.report import ExportFormat


def export(
    source: Annotated[str | None, typer.Option(help="Only imports of this source.")] = None,
    model: Annotated[str | None, typer.Option(help="Exact, but for case, spaces, - and _.")] = None,
    import_id: Annotated[str | None, typer.Option(metavar="ID", help="Only this import.")] = None,
    as_of: Annotated[str | None, typer.Option(metavar="TIME", help="The market as it was then (ISO 8601).")] = None,
    form: Annotated[ExportFormat, typer.Option("--format", help="Of the file.")] = ExportFormat.PARQUET,
    output: OutputFile = None,
    *,
    current: Annotated[bool, typer.Option("--current", help="Only each source's latest batch.")] = False,
) -> None:
    """Export all listings that match, with where each came from."""
    asked = {"source": source, "model": model, "import_id": import_id, "as_of": as_of, "current": current or None}
    query: dict[str, Any] = {name: value for name, value in asked.items() if value is not None}
    if import_id and (current or as_of):
        raise typer.BadParameter("--import-id names one import, --current and --as-of a view of all sources.")
    with opened_installation() as installation:
        portions = installation.export(form, query)
        write_output(portions, output)
