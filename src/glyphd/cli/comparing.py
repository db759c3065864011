"""`glyphd diff`: what changed from one import to another."""

from collections.abc import Iterable
from typing import Annotated

import typer

from glyphd.cli.installation import Installation, opened_installation
from glyphd.cli.output import AsJson, console, plain, print_json, print_table
from glyphd.cli.writing import OutputFile, write_output
from glyphd.domain.diff import Change, Diff, DiffFigures, DiffFilters, DiffSort
from glyphd.domain.imports import ImportFilters, Kind, Status
from glyphd.domain.report import ExportFormat

_LATEST = 1000


def diff(  # noqa: PLR0913 - the options of the command
    first: Annotated[str | None, typer.Argument(metavar="[ID]", help="The import, or the earlier one of two.")] = None,
    second: Annotated[str | None, typer.Argument(metavar="[ID]", help="The later one.")] = None,
    *,
    source: Annotated[str | None, typer.Option(help="Without an import: the latest batch of this source.")] = None,
    change: Annotated[list[Change] | None, typer.Option(help="Only these changes; may be repeated.")] = None,
    model: Annotated[str | None, typer.Option(help="Only this model.")] = None,
    min_price_change_pct: Annotated[float | None, typer.Option(min=0, help="Only moves as wide as this.")] = None,
    sort: Annotated[DiffSort, typer.Option(help="In what order.")] = DiffSort.MOVE,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="At most this many rows.")] = 20,
    form: Annotated[ExportFormat | None, typer.Option("--format", help="All rows as a file.")] = None,
    output: OutputFile = None,
    as_json: AsJson = False,
) -> None:
    """Compare two imports; one with its previous one; or the latest batch that has a previous one with that.

    The latest batch is the newest that is published or staged, of all sources or of one.
    """
    filters = DiffFilters(change or (), model, min_price_change_pct, sort)
    with opened_installation() as installation:
        target = second or first or _latest(installation, source)
        base = first if second else None
        if form is not None:
            write_output(installation.export_diff(target, base, filters, form), output)
            return
        found = installation.diff(target, base, filters, limit)
    print_json(found) if as_json else _tell(found)


def _latest(installation: Installation, source: str | None) -> str:
    """Return the newest batch, published or staged, that has a previous one."""
    filters = ImportFilters(source=source, statuses=(Status.PUBLISHED, Status.STAGED))
    for report in installation.imports(filters, _LATEST):
        if report.kind is Kind.BATCH and report.previous_import_id is not None:
            return report.import_id
    raise typer.BadParameter("No batch that is published or staged has a previous one: name two imports.")


def _tell(found: Diff) -> None:
    for name, each in (("from", found.base), ("to", found.target)):
        console.print(
            plain(f"{name:4} {each.import_id}  {each.source}  {each.status}  {each.count} rows"), highlight=False
        )
    figures = found.summary
    console.print(plain(", ".join(_said(figures))), highlight=False)
    models = [(each.model, each.changes, each.median_price_change_pct) for each in figures.models if each.changes]
    print_table(("model", "changes", "median move %"), models, empty="No model has changed.")
    rows = [
        (
            row.change,
            row.model,
            row.base_price,
            row.target_price,
            row.price_change_pct,
            row.base_index,
            row.target_index,
        )
        for row in found.items
    ]
    if rows:
        print_table(("change", "model", "price", "now", "%", "record", "now record"), rows, empty="")


def _said(figures: DiffFigures) -> Iterable[str]:
    for change in Change:
        yield f"{getattr(figures, change)} {change.replace('_', ' ')}"
    if figures.ambiguous:
        yield f"{figures.ambiguous} keys ambiguous"
    if figures.median_price_change_pct is not None:
        yield f"median move {figures.median_price_change_pct:+.2f} %"
