"""`glyphd report`."""

from typing import Annotated

import typer

from glyphd.cli import options
from glyphd.cli.installation import opened_installation
from glyphd.cli.writing import OutputFile, write_output
from glyphd.domain.market_report import ReportFormat

_SUFFIXES = {"json": ReportFormat.JSON, "html": ReportFormat.HTML, "htm": ReportFormat.HTML}


def report(
    import_id: Annotated[
        str | None, typer.Argument(metavar="[ID]", help="An import; without, the current view of the market.")
    ] = None,
    as_of: Annotated[str | None, typer.Option(help="The view as of this moment (ISO 8601).")] = None,
    source: options.Source = None,
    budget: Annotated[
        float | None, typer.Option(min=0, max=1e12, help="USD: the best offers that cost no more.")
    ] = None,
    form: Annotated[
        ReportFormat | None, typer.Option("--format", help="The form; that of the file's suffix, else md.")
    ] = None,
    output: OutputFile = None,
) -> None:
    """Report on the market: ranges, models, best offers, price anomalies, data quality."""
    chosen = form or _SUFFIXES.get(output.suffix[1:].lower() if output else "", ReportFormat.MARKDOWN)
    said = options.said(import_id=import_id, as_of=as_of, source=source, budget=budget)
    with opened_installation() as installation:
        write_output([installation.market_report(chosen, said)], output)
