"""`glyphd --url` against a server: the same output and exit codes as on the installation that the server has."""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from glyphd.cli.main import app
from glyphd.cli.output import ExitCode
from glyphd.client import Client
from glyphd.services.context import Context
from glyphd.settings import Settings
from tests.integration.cli.commands import CHANGING, CSV, LOOKING
from tests.serving import serving, working

NOBODY = "01997c1e-4a00-7d5e-9c39-0f6a4cf0a1b2"
CHANGING_FROM_RUN_TO_RUN = {
    r"\b01[0-9a-f]{6}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}\b": "<id>",
    r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d[.\d]*(Z|\+00:00)": "<time>",
    r"\"duration_ms\":\d+": "<duration>",
    r"\"actor\":\"[^\"]+:\d+:[0-9a-f]+\"": "<worker>",
    r"(?m) +$": "",
}
Glyphd = Callable[[str], Result]


class Installation:
    """One that has a server; commands work on it locally, and through that."""

    def __init__(self, settings: Settings, url: str) -> None:
        self._place = {"GLYPHD_DATABASE_URL": settings.database_url, "GLYPHD_ARTIFACTS_URL": settings.artifacts_url}
        self._url = url
        self.named: dict[str, str] = {"sample": str(Path(__file__).parents[3] / "sample"), "nobody": NOBODY}

    def run(self, command: str, *, remotely: bool = False) -> Result:
        """Run a command that names things in braces; through the server it knows of no database."""
        words = [word.format_map(self.named) for word in command.split()]
        where, environment = (["--url", self._url], {}) if remotely else ([], self._place)
        return CliRunner().invoke(app, [*where, *words], env={"GLYPHD_DATABASE_URL": "mysql://none", **environment})

    def name(self, name: str, command: str) -> None:
        """Run a command, and give the import that it made a name."""
        found = re.search(r'"import_id":"([^"]+)"', self.run(command).stdout)
        assert found, command
        self.named[name] = found.group(1)

    def seed(self, folder: Path) -> None:
        """Make an import of every kind."""
        self.named["files"] = str(folder)
        self.name("published", f"import {CSV} --source a --campaign-id spring --json")
        self.name("staged", f"import {CSV} --source b --publish hold --json")
        self.name("held", f"import {CSV} --source b --publish hold --json")
        self.name("failed", "import {files}/bad.csv --source a --json")
        self.name("replay", "imports replay {published} --reason again --json")
        self.name("amendment", f"import {CSV} --source a --parent {{published}} --json")


@pytest.fixture
def make_installation(
    make_settings: Callable[..., Settings],
    make_context: Callable[..., Context],
    make_csv: Callable[..., Path],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> Iterator[Callable[[str], Installation]]:
    """Make an installation that has an import of every kind, a server and a worker."""
    monkeypatch.chdir(tmp_path)
    make_csv({}, name="good.csv")
    make_csv({"price": "x"}, name="bad.csv")
    make_csv({}, name="book.xlsx")
    (tmp_path / "empty.csv").touch()
    (tmp_path / "wrong.csv").write_text("a,b\n1,2\n")
    with ExitStack() as running:

        def make(name: str) -> Installation:
            context = make_context(name)
            http = running.enter_context(serving(make_settings(name), context))
            made = Installation(make_settings(name), str(http.base_url))
            made.seed(tmp_path)
            running.enter_context(working(context))
            return made

        yield make


def outcome(ran: Result) -> tuple[int, str, str]:
    """Return what a command ends with and says, without what differs from run to run."""
    assert ran.exception is None or isinstance(ran.exception, SystemExit), ran.exception
    said = [ran.stdout, ran.stderr]
    for pattern, name in CHANGING_FROM_RUN_TO_RUN.items():
        said = [re.sub(pattern, name, each) for each in said]
    return ran.exit_code, *said  # type: ignore[return-value]


def test_looking_is_the_same_from_here_and_from_there(make_installation: Callable[[str], Installation]) -> None:
    """To the byte: it is the same database."""
    installation = make_installation("glyphd")
    for command, code in LOOKING.items():
        here, there = installation.run(command), installation.run(command, remotely=True)
        assert (code, *outcome(here)) == (outcome(there)[0], *outcome(there)), command
        assert here.stdout_bytes == there.stdout_bytes, command


def test_changes_are_the_same_from_here_and_from_there(make_installation: Callable[[str], Installation]) -> None:
    """On twins, whose ledgers tell the same in the end, but for ids and times."""
    here, there = make_installation("here"), make_installation("there")
    for command, code in CHANGING.items():
        told = outcome(there.run(command, remotely=True))
        assert (code, *outcome(here.run(command))) == (told[0], *told), command
    ledgers = [outcome(each.run("imports list --json --limit 100")) for each in (here, there)]
    assert ledgers[0] == ledgers[1]


def test_a_key_is_known_here_and_there(make_installation: Callable[[str], Installation]) -> None:
    """What was imported from here under a key is not imported again through the server, nor the other way round."""
    installation = make_installation("glyphd")
    for first, then in ((False, True), (True, False)):
        command = f"import {CSV} --source k --idempotency-key {first} --json"
        ran = [installation.run(command, remotely=remotely) for remotely in (first, then)]
        assert ran[0].stdout == ran[1].stdout != ""


@pytest.mark.parametrize(
    "command",
    [
        f"import {CSV}",
        f"import {CSV} {CSV}",
        f"validate {CSV}",
        "imports list",
        f"rejections {NOBODY} --csv",
        f"explain {NOBODY}:1",
        f"diff {NOBODY}",
        *(f"imports {verb} {NOBODY}" for verb in ("show", "rejections", "events", "artifact", "digest")),
        *(f"imports {verb} {NOBODY}" for verb in ("publish", "discard", "replay", "rollback", "restore")),
    ],
)
def test_a_server_that_cannot_be_reached(monkeypatch: pytest.MonkeyPatch, sample: Path, command: str) -> None:
    """Exit code 4 with one sentence; files after the first are not tried."""
    monkeypatch.setattr("glyphd.cli.remote.Client", partial(Client, retries=0))
    words = command.format(sample=sample.parent).split()

    ran = CliRunner().invoke(app, ["--url", "http://127.0.0.1:9", *words])

    assert (ExitCode.UNREACHABLE, "", 1) == (ran.exit_code, ran.stdout, len(ran.stderr.splitlines()))


def test_what_no_path_can_hold_is_not_found_either(make_installation: Callable[[str], Installation]) -> None:
    """Exit code 1 here and there; a server tells that there is nothing at that path."""
    installation = make_installation("glyphd")
    for command in ("imports show no/id", "imports show ..", "imports digest .", "imports discard ../x"):
        ran = [installation.run(command, remotely=remotely) for remotely in (False, True)]
        assert [(ExitCode.FAILED, "")] * 2 == [(each.exit_code, each.stdout) for each in ran], command


@pytest.mark.parametrize("url", ["localhost:8080", "ftp://x", "nothing"])
def test_what_is_no_url_is_a_wrong_usage(url: str) -> None:
    """Before anything is sent; of the environment as of the option."""
    given = CliRunner().invoke(app, ["--url", url, "imports", "list"])
    set_before = CliRunner().invoke(app, ["imports", "list"], env={"GLYPHD_URL": url})

    assert [ExitCode.USAGE] * 2 == [given.exit_code, set_before.exit_code]


@pytest.mark.parametrize(
    "command",
    ["serve", "migrate", "migrate --status", "worker", "copy --from sqlite:///a --to sqlite:///b", "doctor", "openapi"],
)
def test_what_works_on_this_machine_only_refuses_a_server(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A wrong usage, that says so, and nothing is done."""
    monkeypatch.chdir(tmp_path)
    for words, environment in ((["--url", "http://x"], {}), ([], {"GLYPHD_URL": "http://x"})):
        ran = CliRunner().invoke(app, [*words, *command.split()], env=environment)

        assert (ExitCode.USAGE, "") == (ran.exit_code, ran.stdout), command
        assert "leave out --url" in " ".join(ran.stderr.replace("│", " ").split())
    assert [] == list(tmp_path.iterdir())


@pytest.mark.parametrize("remotely", [False, True])
def test_diff_takes_the_newest_batch_that_has_a_previous_one(
    make_installation: Callable[[str], Installation], remotely: bool
) -> None:
    """Staged or published, of all sources or of one; an import that is named is compared with its previous one."""
    installation = make_installation("glyphd")
    installation.name("second", f"import {CSV} --source a --json")
    installation.name("waiting", f"import {CSV} --source a --publish hold --json")
    installation.name("other", f"import {CSV} --source other --json")
    installation.name("alone", f"import {CSV} --source alone --json")

    def compared(command: str) -> tuple[str, str]:
        ran = installation.run(f"{command} --json", remotely=remotely)
        assert 0 == ran.exit_code, ran.stderr
        found = json.loads(ran.stdout)
        return found["base"]["import_id"], found["target"]["import_id"]

    published, second, waiting, other = (
        installation.named[name] for name in ("published", "second", "waiting", "other")
    )
    assert (second, waiting) == compared("diff") == compared("diff --source a")
    assert (published, second) == compared("diff {second}")
    installation.run("imports discard {waiting}")
    assert (published, second) == compared("diff")
    installation.name("newer", f"import {CSV} --source other --json")
    assert (other, installation.named["newer"]) == compared("diff")
    assert (published, second) == compared("diff --source a")
    alone = installation.run("diff --source alone", remotely=remotely)
    assert (2, True) == (alone.exit_code, "previous" in alone.stderr)
