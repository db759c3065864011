"""`glyphd migrate`."""

from dataclasses import asdict
from typing import Annotated

import typer

from glyphd.bootstrap import build_context
from glyphd.cli.installation import read_local_settings
from glyphd.cli.output import AsJson, console, errors, failures_reported, plain, print_json
from glyphd.services import migrating
from glyphd.store.schema import SchemaStatus


def migrate(
    steps: Annotated[int | None, typer.Argument(min=1, help="With --down: how many revisions.")] = None,
    to: Annotated[str | None, typer.Option(metavar="REV", help="Go to this revision, up or down.")] = None,
    *,
    down: Annotated[bool, typer.Option("--down", help="Go down: one revision, or `--down N`.")] = False,
    status: Annotated[bool, typer.Option("--status", help="Only tell where the database stands.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the SQL, change nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Bring the database to the newest schema revision, or to another one."""
    if (steps and not down) or sum((down, status, to is not None)) > 1:
        raise typer.BadParameter("choose one of --to REV, --down [N], --status")
    with failures_reported():
        context = build_context(read_local_settings())
        try:
            statements: list[str] = []
            if down:
                statements = migrating.migrate_down(context, steps or 1, dry_run=dry_run)
            elif not status:
                statements = migrating.migrate_to(context, to or "head", dry_run=dry_run)
            _tell(migrating.tell_schema(context), statements if dry_run else [], as_json=as_json)
        finally:
            context.database.dispose()


def _tell(found: SchemaStatus, statements: list[str], *, as_json: bool) -> None:
    if as_json:
        print_json({**asdict(found), "statements": statements})
        return
    for statement in statements:
        typer.echo(f"{statement};")
    teller = errors if statements else console  # what is printed for `--dry-run` is SQL, and nothing else
    said = f"The database is at revision {found.current or 'none'}; the newest is {found.head}."
    teller.print(said, highlight=False, soft_wrap=True)
    for each in found.pending:
        teller.print(f"  pending: {each.number} {plain(each.title)}", highlight=False, soft_wrap=True)
