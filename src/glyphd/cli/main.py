"""`glyphd`: the root of the command line.

A command's module is imported when the command is asked for: all of them together took 2.5 s of every start (measured),
and a worker has no use for the HTTP API.
"""

from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from glyphd import __version__
from glyphd.cli.installation import given_url

_COMMANDS = {
    "migrate": "glyphd.cli.database:migrate",
    "serve": "glyphd.cli.server:serve",
    "worker": "glyphd.cli.worker:worker",
    "import": "glyphd.cli.importing:import_files",
    "validate": "glyphd.cli.validating:validate",
    "history": "glyphd.cli.history:show_history",
    "deltas": "glyphd.cli.history:list_deltas",
    "openapi": "glyphd.cli.openapi:openapi",
    "imports": "glyphd.cli.imports:app",
    "diff": "glyphd.cli.comparing:diff",
    "report": "glyphd.cli.market:report",
    "explain": "glyphd.cli.explaining:explain",
    "export": "glyphd.cli.exporting:export",
    "rejections": "glyphd.cli.imports:list_rejections",
    "copy": "glyphd.cli.copying:copy",
    "doctor": "glyphd.cli.doctor:doctor",
}


class _Commands(Mapping[str, Any]):
    """The commands by name, each imported when it is taken."""

    def __getitem__(self, name: str) -> Any:
        module, _, attribute = _COMMANDS[name].partition(":")
        found = getattr(import_module(module), attribute)
        if not isinstance(found, typer.Typer):
            single = typer.Typer(pretty_exceptions_enable=False, add_completion=False)
            single.command(name)(found)
            found = single
        command = typer.main.get_command(found)
        command.name = name
        return command

    def __iter__(self) -> Iterator[str]:
        return iter(_COMMANDS)

    def __len__(self) -> int:
        return len(_COMMANDS)


class _Root(TyperGroup):
    """The root; click asks it for one command, or for all of them to print its help."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.commands = _Commands()  # type: ignore[assignment] # nothing is ever added to it


app = typer.Typer(
    name="glyphd",
    cls=_Root,
    help="Receives scored GPU listings, checks every row, and remembers where each one came from.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)


def _print_version(wanted: bool) -> None:  # noqa: FBT001 - typer's callback
    if wanted:
        typer.echo(f"glyphd {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    url: Annotated[
        str | None, typer.Option(metavar="URL", help="Work on the installation of this server; GLYPHD_URL.")
    ] = None,
    *,
    version: Annotated[  # noqa: ARG001 - its callback prints it
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print it.")
    ] = False,
) -> None:
    """Receives scored GPU listings, checks every row, and remembers where each one came from."""
    given_url.set(url)


def main() -> None:
    """Run the command line."""
    app()
