"""`glyphd imports purge`."""

import re
from collections.abc import Iterable
from datetime import timedelta
from importlib import import_module
from typing import Annotated

import typer

from glyphd.cli import options
from glyphd.cli.installation import read_local_settings
from glyphd.cli.output import AsJson, ExitCode, console, failures_reported, plain, print_failure, print_json
from glyphd.domain.imports import Status
from glyphd.domain.receipts import PurgeReceipt

_AGE = re.compile(r"(\d{1,5})([hdw])")
_UNITS = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}


def _read_age(given: str) -> timedelta:
    if not (found := _AGE.fullmatch(given.strip())):
        raise typer.BadParameter("an age is a number of hours, days or weeks, such as 36h, 90d or 4w")
    return int(found[1]) * _UNITS[found[2]]


def purge_imports(  # noqa: PLR0913 - one argument an option
    import_ids: Annotated[list[str] | None, typer.Argument(metavar="[ID…]", help="Imports, by their ids.")] = None,
    older_than: Annotated[
        timedelta | None,
        typer.Option(parser=_read_age, metavar="AGE", help="In that state for so long: 36h, 90d, 4w; 0d: all of them."),
    ] = None,
    reason: options.Reason = None,
    *,
    rolled_back: Annotated[bool, typer.Option("--rolled-back", help="All that are rolled back.")] = False,
    failed: Annotated[bool, typer.Option("--failed", help="All that failed.")] = False,
    discarded: Annotated[bool, typer.Option("--discarded", help="All that were discarded.")] = False,
    keep_artifacts: Annotated[bool, typer.Option("--keep-artifacts", help="Keep the bytes as submitted.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Purge what hangs on a batch with it.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be purged.")] = False,
    as_json: AsJson = False,
) -> None:
    """Delete rows, rejections and bytes of imports for good; the ledger keeps who, when and how many.

    Exits with 1 when one of them was refused. Works on the installation of this machine.
    """
    asked = {Status.ROLLED_BACK: rolled_back, Status.FAILED: failed, Status.DISCARDED: discarded}
    statuses = [status for status, wanted in asked.items() if wanted]
    if not import_ids and not statuses:
        raise typer.BadParameter("name imports, or say --rolled-back, --failed or --discarded")
    if bool(statuses) is not (older_than is not None):
        raise typer.BadParameter("--older-than and --rolled-back, --failed or --discarded go together")
    terms = {"reason": reason, "keep_artifacts": keep_artifacts, "force": force, "dry_run": dry_run}
    settings, local = read_local_settings(), import_module("glyphd.cli.local")  # it loads the database's libraries
    with failures_reported(), local.opened(settings) as installation:
        receipts = installation.purge(import_ids or (), statuses, older_than or timedelta(), **terms)
        refused = _tell(receipts, "would be purged" if dry_run else "is purged", as_json=as_json)
    if refused:
        raise typer.Exit(ExitCode.FAILED)


def _tell(receipts: Iterable[PurgeReceipt], what: str, *, as_json: bool) -> bool:
    """Tell each as it comes; return whether one was refused."""
    told = []
    for receipt in receipts:
        told.append(receipt)
        if not as_json:
            _tell_one(receipt, what)
    if as_json:
        print_json(told)
    elif not told:
        console.print("There is nothing to purge.")
    return any(receipt.refusal for receipt in told)


def _tell_one(receipt: PurgeReceipt, what: str) -> None:
    if receipt.refusal:
        print_failure(f"{receipt.import_id} stays", receipt.refusal)
        return
    others = [each for each in receipt.purged_imports if each != receipt.import_id]
    line = f"{receipt.import_id} {what}, {receipt.rows} rows and {receipt.rejections} rejections"
    line += f", with {', '.join(others)}" if others else ""
    line += f"; {len(receipt.removed_artifacts)} artifacts are gone" if receipt.removed_artifacts else ""
    console.print(plain(f"{line}."), highlight=False, soft_wrap=True)
