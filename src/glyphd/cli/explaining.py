"""`glyphd explain`: where one record came from, and what became of it."""

from typing import Annotated

import msgspec
import typer

from glyphd.cli.installation import opened_installation
from glyphd.cli.output import AsJson, console, plain, print_json, print_table
from glyphd.domain.lineage import Lineage, LineageSighting


def explain(
    record: Annotated[
        str, typer.Argument(metavar="IMPORT_ID:INDEX", help="The import, and the record's place in it, from 1.")
    ],
    *,
    as_json: AsJson = False,
) -> None:
    """Explain one record: as it was submitted, how it was read, what became of it, where else it was seen."""
    import_id, _, place = record.rpartition(":")
    if not import_id or not place.isascii() or not place.isdecimal() or not 1 <= int(place) < 1 << 31:
        raise typer.BadParameter("it is an import's id, a colon, and the place of a record from 1 on")
    with opened_installation() as installation:
        found = installation.lineage(import_id, int(place))
    if as_json:
        print_json(found)
        return
    _print(found)


def _print(found: Lineage) -> None:
    batch = found.batch
    facts = [
        ("record", f"{found.import_index}, {found.outcome}"),
        ("import", f"{found.import_id}, {batch.status}"),
        ("source", batch.source),
        ("version", batch.source_version),
        ("observed_at", batch.observed_at),
        *((each.role, f"{each.filename or 'no name'}, SHA-256 {each.sha256}") for each in found.artifacts),
        ("raw", found.raw if found.raw is not None else found.raw_missing),
        *(("issue", f"{issue.message} ({issue.code})") for issue in found.issues),
        *(("warning", name) for name in found.warnings),
    ]
    print_table(("", ""), facts, empty="")
    if found.cells:
        _print_heading("As it was read")
        cells = [(cell.field, cell.header, cell.raw, msgspec.to_builtins(cell.value)) for cell in found.cells]
        print_table(("field", "column", "cell", "value"), cells, empty="")
    _print_sightings("Seen earlier", found.earlier)
    _print_sightings("Seen later", found.later)
    _print_heading("What happened to its import")
    events = [(f"{event.at:%F %TZ}", event.actor, event.action, event.reason) for event in found.events]
    print_table(("at", "actor", "action", "reason"), events, empty="Nothing has happened to it.")


def _print_heading(text: str) -> None:
    console.print(f"\n[bold]{plain(text)}[/]", highlight=False)


def _print_sightings(heading: str, sightings: list[LineageSighting]) -> None:
    if sightings:
        _print_heading(heading)
        rows = [(f"{each.import_id}:{each.import_index}", each.observed_at, each.price) for each in sightings]
        print_table(("record", "observed_at", "price"), rows, empty="")
