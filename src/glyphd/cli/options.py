"""The options of a batch, as commands take them; what was not given is not said."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from glyphd.domain.imports import OnError, PublishMode

Source = Annotated[str | None, typer.Option(help="Who the listings come from.")]
CampaignId = Annotated[str | None, typer.Option(help="The crawl campaign.")]
Metadata = Annotated[str | None, typer.Option(help="A JSON object to keep with the import.")]
ObservedAt = Annotated[str | None, typer.Option(help="When the crawl was made (ISO 8601).")]
GivenOnError = Annotated[OnError | None, typer.Option(help="abort: one rejected record fails the import.")]
SchemaVersion = Annotated[str | None, typer.Option(help="The row contract; the newest if not given.")]
Publish = Annotated[PublishMode | None, typer.Option(help="hold: leave it staged, for a person to publish.")]
Parent = Annotated[str | None, typer.Option(metavar="ID", help="The batch that this one amends.")]
MaxRejectRate = Annotated[float | None, typer.Option(min=0, max=1, help="Stage it if more is rejected (0 to 1).")]
MaxPriceMove = Annotated[float | None, typer.Option(min=0, help="Stage it if prices moved more (0.5: by half).")]
MinRows = Annotated[int | None, typer.Option(min=0, help="Stage it if fewer rows are stored.")]
IdempotencyKey = Annotated[str | None, typer.Option(metavar="KEY", help="Import it once, however often this is run.")]
_FILE: Any = {"exists": True, "dir_okay": False}
Enriched = Annotated[Path | None, typer.Option(metavar="FILE", help="Enriched file of a pipeline run.", **_FILE)]
Scored = Annotated[Path | None, typer.Option(metavar="FILE", help="Scored file of the same run.", **_FILE)]
Files = Annotated[list[Path] | None, typer.Argument(metavar="[FILE…]", help="Files, each a batch of its own.", **_FILE)]
Strict = Annotated[bool, typer.Option("--strict", help="Exit with 3 when a record was rejected.")]
Reason = Annotated[str | None, typer.Option(help="Why, for the audit trail.")]


def said(**given: Any) -> dict[str, Any]:
    """Return the options that were given."""
    return {name: value for name, value in given.items() if value is not None}


def batches_of(
    files: list[Path] | None, enriched: Path | None, scored: Path | None, idempotency_key: str | None = None
) -> list[dict[str, Path]]:
    """Return the files of each batch by role. Raises BadParameter for what is no batch, or no one batch for a key."""
    if (enriched is None) is not (scored is None):
        raise typer.BadParameter("a pipeline run is both of --enriched and --scored")
    if bool(files) is (enriched is not None):
        raise typer.BadParameter("name one FILE or more, or a pipeline run with --enriched and --scored")
    if enriched is not None and scored is not None:
        return [{"enriched": enriched, "scored": scored}]
    batches = [{"batch": file} for file in files or ()]
    if idempotency_key and len(batches) > 1:
        raise typer.BadParameter("one key is for one batch", param_hint="--idempotency-key")
    return batches


def name_of(batch: Mapping[str, Path]) -> str:
    """Return what a batch is called when it is spoken of."""
    return " + ".join(file.name for file in batch.values())
