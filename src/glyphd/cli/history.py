"""`glyphd history` and `glyphd deltas`: prices through time."""

from typing import Annotated, Any

import typer

from glyphd.cli.installation import opened_installation
from glyphd.cli.options import said
from glyphd.cli.output import AsJson, print_json, print_table
from glyphd.domain.history import Bucket, Sighting

Since = Annotated[str | None, typer.Option(metavar="MOMENT", help="Observed at or after it (ISO 8601).")]
Until = Annotated[str | None, typer.Option(metavar="MOMENT", help="Observed before it (ISO 8601).")]
OnlySource = Annotated[str | None, typer.Option(help="Only this source.")]
Limit = Annotated[int, typer.Option(min=1, max=100_000, help="At most this many.")]


def show_history(  # noqa: PLR0913 - the options of the command
    model: Annotated[str, typer.Argument(metavar="MODEL", help="Case, spaces, - and _ do not count.")],
    bucket: Annotated[Bucket, typer.Option(help="import: by batch; else by the calendar, in UTC.")] = Bucket.DAY,
    source: OnlySource = None,
    since: Since = None,
    until: Until = None,
    as_of: Annotated[str | None, typer.Option(metavar="MOMENT", help="Observed until it, itself included.")] = None,
    limit: Limit = 1000,
    *,
    as_json: AsJson = False,
) -> None:
    """Show the prices of a model through time, oldest first; where it was not seen there is no price."""
    period = said(source=source, since=since, until=until, as_of=as_of)
    with opened_installation() as installation:
        found = installation.history(model, bucket, period, limit)
    if as_json:
        print_json(found)
        return
    figures = ("count", "min", "p25", "median", "p75", "max")
    origin = ("import_id", "source") if bucket is Bucket.IMPORT else ()
    rows = [
        (f"{each.start:%F %TZ}", *(getattr(each, name) for name in origin), *(getattr(each, name) for name in figures))
        for each in found
    ]
    print_table(("start", *origin, *figures), rows, empty="It was not seen.")


def list_deltas(  # noqa: PLR0913 - the options of the command
    model: Annotated[str | None, typer.Option(help="Only this model; case, spaces, - and _ do not count.")] = None,
    source: OnlySource = None,
    region: Annotated[str | None, typer.Option(help="Only this region.")] = None,
    min_price_change_pct: Annotated[
        float | None, typer.Option(min=0, help="Only prices that moved so much, up or down.")
    ] = None,
    since: Since = None,
    until: Until = None,
    limit: Limit = 100,
    *,
    as_json: AsJson = False,
) -> None:
    """List what moved between successive sightings of one offer in one source, newest first."""
    filters = said(model=model, region=region, min_price_change_pct=min_price_change_pct)
    period = said(source=source, since=since, until=until)
    with opened_installation() as installation:
        found = installation.deltas({**filters, **period}, limit)
    if as_json:
        print_json(found)
        return
    columns = ("observed_at", "source", "model", "offer", "earlier", "price", "%", "score")
    print_table(columns, map(_row, found), empty="Nothing moved.")


def _row(move: Sighting) -> tuple[Any, ...]:
    offer = f"{move.observed_at:%F %TZ}", move.source, move.model, move.listing_key
    earlier = move.earlier.price if move.earlier else None
    return *offer, earlier, move.price, _signed(move.price_change_pct), _signed(move.score_change)


def _signed(figure: float | None) -> str | None:
    return None if figure is None else f"{figure:+.2f}"
