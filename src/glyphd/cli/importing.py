"""`glyphd import`."""

from functools import partial

import typer

from glyphd.cli import options
from glyphd.cli.batches import run_all, tell_errors
from glyphd.cli.installation import opened_installation
from glyphd.cli.output import AsJson, ExitCode, console, plain, print_failure, print_json
from glyphd.domain.imports import Status
from glyphd.domain.report import ImportReport


def import_files(  # noqa: PLR0913 - the options of the command
    files: options.Files = None,
    *,
    enriched: options.Enriched = None,
    scored: options.Scored = None,
    source: options.Source = None,
    campaign_id: options.CampaignId = None,
    metadata: options.Metadata = None,
    observed_at: options.ObservedAt = None,
    on_error: options.GivenOnError = None,
    schema_version: options.SchemaVersion = None,
    publish: options.Publish = None,
    parent: options.Parent = None,
    max_reject_rate: options.MaxRejectRate = None,
    max_price_move: options.MaxPriceMove = None,
    min_rows: options.MinRows = None,
    idempotency_key: options.IdempotencyKey = None,
    strict: options.Strict = False,
    as_json: AsJson = False,
) -> None:
    """Import files, each as a batch of its own, or the two files of a pipeline run as one."""
    batches = options.batches_of(files, enriched, scored, idempotency_key)
    given = options.said(source=source, campaign_id=campaign_id, metadata=metadata, observed_at=observed_at)
    given |= options.said(on_error=on_error, schema_version=schema_version, publish=publish, parent_import_id=parent)
    given |= options.said(max_reject_rate=max_reject_rate, max_price_move=max_price_move, min_rows=min_rows)
    with opened_installation() as installation:
        runs = [(options.name_of(each), partial(installation.submit, each, given, idempotency_key)) for each in batches]
        raise typer.Exit(run_all(runs, partial(tell_import, strict=strict, as_json=as_json)))


def tell_import(name: str, report: ImportReport, *, strict: bool, as_json: bool) -> ExitCode:
    """Say what became of an import, and return how the command ends."""
    print_json(report) if as_json else _tell(name, report)
    if report.status in {Status.FAILED, Status.DISCARDED}:
        return ExitCode.FAILED
    return ExitCode.PARTIAL if strict and report.rejected else ExitCode.OK


def _tell(name: str, report: ImportReport) -> None:
    console.print(
        f"[bold]{plain(name)}[/] → {report.status} {report.import_id}: "
        f"{report.received:,} received, {report.count:,} stored, {report.rejected:,} rejected",
        highlight=False,
        soft_wrap=True,
    )
    if report.failure:
        print_failure(report.failure["title"], report.failure["detail"])
    for gate in report.gates:
        if gate.passed is False:
            console.print(f"  {gate.gate}: {gate.value:g} where {gate.limit:g} is the limit", highlight=False)
    if not tell_errors(report.errors):
        console.print(f"  … all of them: glyphd imports rejections {report.import_id}", highlight=False)
