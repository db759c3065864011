"""`glyphd imports …`: verbs about one import."""

import sys
from collections.abc import Iterable
from dataclasses import asdict
from functools import partial
from typing import Annotated

import typer

from glyphd.cli import options
from glyphd.cli.batches import run_one
from glyphd.cli.importing import tell_import
from glyphd.cli.installation import opened_installation
from glyphd.cli.output import AsJson, console, plain, print_json, print_table
from glyphd.cli.purging import purge_imports
from glyphd.domain.imports import ImportFilters, ImportSort, Status
from glyphd.domain.receipts import Receipt
from glyphd.domain.report import ImportReport, RejectionVariant

app = typer.Typer(help="Look at imports, publish them, take them out.", no_args_is_help=True)
app.command("purge")(purge_imports)

ImportId = Annotated[str, typer.Argument(metavar="ID", help="The import's id.")]
Limit = Annotated[int, typer.Option(min=1, max=100_000, help="At most this many.")]


@app.command("list")
def list_imports(
    source: Annotated[str | None, typer.Option(help="Only this source.")] = None,
    status: Annotated[list[Status] | None, typer.Option(help="Only these states; may be repeated.")] = None,
    campaign_id: Annotated[str | None, typer.Option(help="Only this crawl campaign.")] = None,
    parent: Annotated[str | None, typer.Option(metavar="ID", help="Only what hangs on this batch.")] = None,
    sort: Annotated[ImportSort, typer.Option(help="In what order; with `-` the greatest first.")] = ImportSort.NEWEST,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="At most this many.")] = 20,
    *,
    as_json: AsJson = False,
) -> None:
    """List imports, newest first unless sorted otherwise."""
    filters = ImportFilters(
        source=source, statuses=status or (), campaign_id=campaign_id, parent_import_id=parent, sort=sort
    )
    with opened_installation() as installation:
        reports = installation.imports(filters, limit)
    if as_json:
        print_json(reports)
        return
    columns = ("import_id", "source", "version", "status", "received", "count", "rejected", "imported_at")
    rows = [
        (r.import_id, r.source, r.source_version, r.status, r.received, r.count, r.rejected, f"{r.imported_at:%F %TZ}")
        for r in reports
    ]
    print_table(columns, rows, empty="No imports yet: try `glyphd import FILE`.")


@app.command("show")
def show_import(import_id: ImportId, *, as_json: AsJson = False) -> None:
    """Show the report of one import."""
    with opened_installation() as installation:
        report = installation.report(import_id)
    if as_json:
        print_json(report)
        return
    shown = {name: value for name, value in asdict(report).items() if value not in (None, [], {}) and name != "errors"}
    print_table(("", ""), list(shown.items()), empty="")
    for error in report.errors:
        console.print(f"  record {error.import_index}: {plain(error.message)} ({error.code})", highlight=False)


@app.command("rejections")
def list_rejections(
    import_id: ImportId,
    limit: Limit = 100,
    variant: Annotated[
        RejectionVariant, typer.Option(help="Of the CSV: cells as they came, or none of them a formula.")
    ] = RejectionVariant.ROUNDTRIP,
    *,
    csv: Annotated[bool, typer.Option("--csv", help="All of them as CSV, to fix and import again.")] = False,
    as_json: AsJson = False,
) -> None:
    """List the records of an import that were not stored, and why."""
    with opened_installation() as installation:
        if csv:
            _write(installation.rejections_csv(import_id, variant))
            return
        found = installation.rejections(import_id, limit)
    if as_json:
        print_json(found)
        return
    rows = [(r.import_index, issue.field, issue.code, issue.message, issue.value) for r in found for issue in r.issues]
    print_table(("record", "field", "code", "message", "value"), rows, empty="No record was rejected.")


@app.command("events")
def list_events(import_id: ImportId, limit: Limit = 100, *, as_json: AsJson = False) -> None:
    """List who did what to an import, when and why, oldest first."""
    with opened_installation() as installation:
        found = installation.events(import_id, limit)
    if as_json:
        print_json(found)
        return
    rows = [(f"{event.at:%F %TZ}", event.actor, event.action, event.status, event.reason) for event in found]
    print_table(("at", "actor", "action", "status", "reason"), rows, empty="Nothing has happened to it.")


@app.command("artifact")
def write_artifact(
    import_id: ImportId,
    role: Annotated[str | None, typer.Option(help="Which, if there are several; the first if not given.")] = None,
) -> None:
    """Write the bytes of an import to standard output, as they were submitted."""
    with opened_installation() as installation:
        _write(installation.artifact(import_id, role))


@app.command("publish")
def publish_import(import_id: ImportId, reason: options.Reason = None, *, as_json: AsJson = False) -> None:
    """Make the rows of a staged import visible."""
    with opened_installation() as installation:
        report = installation.publish(import_id, reason)
    _tell_state(report, as_json=as_json)


@app.command("discard")
def discard_import(import_id: ImportId, reason: options.Reason = None, *, as_json: AsJson = False) -> None:
    """Take out an import that is not published; one that waits or runs is cancelled."""
    with opened_installation() as installation:
        report = installation.discard(import_id, reason)
    _tell_state(report, as_json=as_json)


@app.command("rollback")
def roll_back_import(import_id: ImportId, reason: options.Reason = None, *, as_json: AsJson = False) -> None:
    """Take a published import out of every read, with what hangs on it; `restore` puts it back."""
    with opened_installation() as installation:
        receipt = installation.rollback(import_id, reason)
    _tell_receipt(receipt, as_json=as_json)


@app.command("restore")
def restore_import(import_id: ImportId, reason: options.Reason = None, *, as_json: AsJson = False) -> None:
    """Put a rolled-back import back into every read."""
    with opened_installation() as installation:
        receipt = installation.restore(import_id, reason)
    _tell_receipt(receipt, as_json=as_json)


@app.command("replay")
def replay_import(
    import_id: ImportId,
    reason: options.Reason = None,
    publish: options.Publish = None,
    schema_version: Annotated[str | None, typer.Option(help="The row contract; the batch's own if not given.")] = None,
    *,
    strict: options.Strict = False,
    as_json: AsJson = False,
) -> None:
    """Import the stored files of a batch again, under today's rules; published, the replay stands for the batch."""
    given = options.said(publish=publish, schema_version=schema_version)
    with opened_installation() as installation:
        run = partial(installation.replay, import_id, reason, given)
        tell = partial(tell_import, strict=strict, as_json=as_json)
        raise typer.Exit(run_one(f"Replay of {import_id}", run, tell))


@app.command("digest")
def digest_import(import_id: ImportId, *, as_json: AsJson = False) -> None:
    """Print the row digest of an import: the same wherever the same rows are, on any database."""
    with opened_installation() as installation:
        digest = installation.digest(import_id)
    print_json({"import_id": import_id, "row_digest": digest}) if as_json else typer.echo(digest)


def _tell_state(report: ImportReport, *, as_json: bool) -> None:
    print_json(report) if as_json else console.print(f"{report.import_id} is {report.status}.", highlight=False)


def _tell_receipt(receipt: Receipt, *, as_json: bool) -> None:
    if as_json:
        print_json(receipt)
        return
    already = "" if receipt.changed else " already"
    moved = [
        (receipt.rows_hidden, "hidden", receipt.hidden_imports),
        (receipt.rows_shown, "shown", receipt.shown_imports),
    ]
    lines = [f"{receipt.import_id} is {receipt.status}{already}."]
    lines += [f"{rows} rows are {what}, of {', '.join(import_ids)}." for rows, what, import_ids in moved if import_ids]
    later = ", ".join(f"version {batch.source_version}" for batch in receipt.later_imports)
    lines += [f"Later imports of {receipt.source}: {later or 'none'}."]
    shows = receipt.current_view
    lines += [f"{receipt.source} now shows {f'{shows.count} rows of {shows.import_id}' if shows else 'nothing'}."]
    for line in lines:
        console.print(plain(line), highlight=False)


def _write(portions: Iterable[bytes]) -> None:
    for portion in portions:
        sys.stdout.buffer.write(portion)
    sys.stdout.buffer.flush()
