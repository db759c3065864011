"""`glyphd`: the root of the command line."""

from typing import Annotated

import typer

from glyphd import __version__
from glyphd.cli import database, importing, imports, server

app = typer.Typer(
    name="glyphd",
    help="Receives scored GPU listings, checks every row, and remembers where each one came from.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
app.command("migrate")(database.migrate)
app.command("serve")(server.serve)
app.command("worker")(server.worker)
app.command("import")(importing.import_files)
app.command("openapi")(server.openapi)
app.add_typer(imports.app, name="imports")


def _print_version(wanted: bool) -> None:  # noqa: FBT001 - typer's callback
    if wanted:
        typer.echo(f"glyphd {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print it.")
    ] = False,
) -> None:
    """Receives scored GPU listings, checks every row, and remembers where each one came from."""


def main() -> None:
    """Run the command line."""
    app()
