"""`glyphd explain`: from where a figure is."""

from collections.abc import Sequence
from typing import Annotated

import msgspec
import typer

from glyphd.cli.installation import opened_installation
from glyphd.cli.output import AsJson, console, plain, print_json, print_table
from glyphd.domain.lineage import Lineage, OfferSighting

Named = Annotated[
    str,
    typer.Argument(
        metavar="LISTING|IMPORT_ID:INDEX",
        help="A listing_key or the id of a listing, or an import and the position of the record in it.",
    ),
]


def explain(listing: Named, *, as_json: AsJson = False) -> None:
    """Explain a listing: its import and file, the record as submitted, how it was read, where else it was seen."""
    with opened_installation() as installation:
        found = installation.explain(listing)
    if as_json:
        print_json(found)
        return
    _tell_origin(found)
    _tell_record(found)
    _tell_sightings("Seen earlier", found.earlier)
    _tell_sightings("Seen later", found.later)
    events = [(f"{event.at:%F %TZ}", event.actor, event.action, event.reason) for event in found.events]
    _print_titled("What happened to its import", ("at", "actor", "action", "reason"), events)


def _tell_origin(found: Lineage) -> None:
    origin, name = found.origin, f"Record {found.import_index} of import {found.import_id}"
    _say(f"{name} was {found.outcome}.")
    version = f", version {origin.source_version}" if origin.source_version else ""
    observed = f", observed {origin.observed_at:%F %TZ}" if origin.observed_at else ""
    _say(f"Import: {origin.kind} of {origin.source}{version}, {origin.status}{observed}.")
    for artifact in found.artifacts:
        _say(f"File: {artifact.filename or 'without name'} ({artifact.role}, {artifact.bytes} bytes)")
        _say(f"SHA-256: {artifact.sha256}")


def _tell_record(found: Lineage) -> None:
    said = found.raw_missing or (found.raw if found.raw_encoding == "utf8" else f"base64 {found.raw}")
    _say(f"As submitted: {said}")
    conversions = [(each.field, each.header, each.raw, msgspec.to_builtins(each.value)) for each in found.conversions]
    _print_titled("How it was read", ("field", "column", "cell", "stored"), conversions)
    for issue in found.issues:
        _say(f"Rejected: {issue.message} ({issue.code})")
    for warning in found.warnings:
        _say(f"Warning: {warning}")


def _tell_sightings(title: str, found: Sequence[OfferSighting]) -> None:
    rows = [
        (each.import_id, each.import_index, each.source, f"{each.observed_at:%F %TZ}" if each.observed_at else None,
         f"{each.price:.2f}", f"{each.score:.2f}")
        for each in found
    ]  # fmt: skip
    _print_titled(title, ("import_id", "record", "source", "observed_at", "price", "score"), rows)


def _print_titled(title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    console.print(f"\n{title}:", highlight=False)
    print_table(columns, rows, empty="nowhere" if columns[0] == "import_id" else "nothing")


def _say(text: str) -> None:
    console.print(plain(text), highlight=False, soft_wrap=True)
