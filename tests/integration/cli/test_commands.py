"""`glyphd migrate`, `openapi` and `--version`, and what every command does when it cannot work."""

import json
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from glyphd import __version__
from glyphd.api.app import create_app
from glyphd.cli.output import ExitCode
from glyphd.settings import Settings
from glyphd.store.schema import HEAD
from tests.integration.cli.conftest import Glyphd

COMMANDS = [["migrate"], ["imports", "list"], ["import", "sample.csv"], ["serve"], ["worker"]]


@pytest.fixture
def fresh(glyphd: Glyphd, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Glyphd:
    """Run a command where there is no database yet."""
    monkeypatch.setenv("GLYPHD_DATABASE_URL", f"sqlite:///{tmp_path}/fresh/glyphd.sqlite")
    (tmp_path / "sample.csv").write_text("x")
    return glyphd


def current(glyphd: Glyphd) -> str | None:
    """Return the revision that `--status` tells."""
    revision: str | None = json.loads(glyphd("migrate", "--status", "--json").stdout)["current"]
    return revision


def test_migrate_goes_up_and_down(fresh: Glyphd) -> None:
    """To head, to a revision either way, and down by a number of steps."""
    seen = [current(fresh)]
    for arguments in ([], ["--down"], ["--down", "2"], ["--to", "0002"], ["--to", "head"], ["--to", "base"]):
        ran = fresh("migrate", *arguments)
        assert ran.exit_code == 0, ran.stderr
        seen.append(current(fresh))

    assert [None, HEAD, "0012", "0010", "0002", HEAD, None] == seen


def test_status_tells_what_is_pending(fresh: Glyphd) -> None:
    """By number and title, for a person and for a program."""
    fresh("migrate", "--to", "0008")
    status = json.loads(fresh("migrate", "--status", "--json").stdout)

    assert ["0009", "0010", "0011", "0012", "0013"] == [revision["number"] for revision in status["pending"]]
    assert (
        "The database is at revision 0008; the newest is 0013.\n  pending: 0009" in fresh("migrate", "--status").stdout
    )


def test_a_dry_run_prints_sql_and_changes_nothing(fresh: Glyphd, tmp_path: Path) -> None:
    """Standard output is SQL that can be kept, and nothing else; what it means is on standard error."""
    ran = fresh("migrate", "--dry-run")
    document = json.loads(fresh("migrate", "--dry-run", "--json").stdout)

    assert (0, None) == (ran.exit_code, current(fresh))
    assert document["statements"] == [line for line in document["statements"] if line in ran.stdout]
    assert "The database is at revision none" in ran.stderr
    with closing(sqlite3.connect(tmp_path / "fresh" / "glyphd.sqlite")) as database:
        assert [] == database.execute("SELECT name FROM sqlite_schema").fetchall()


@pytest.mark.parametrize(
    "arguments",
    [["3"], ["--down", "0"], ["--down", "--to", "0001"], ["--status", "--down"], ["--down", "x"], ["--nope"]],
)
def test_a_wrong_usage_of_migrate(fresh: Glyphd, arguments: list[str]) -> None:
    """Exit code 2."""
    assert ExitCode.USAGE == fresh("migrate", *arguments).exit_code


def test_a_revision_that_is_not_there(fresh: Glyphd) -> None:
    """One sentence, exit code 1."""
    ran = fresh("migrate", "--to", "9999")

    assert (1, 1) == (ran.exit_code, len(ran.stderr.splitlines()))


@pytest.mark.parametrize("command", [["imports", "list"], ["import", "sample.csv"], ["serve"], ["worker"]])
def test_a_database_that_is_not_migrated(fresh: Glyphd, command: list[str]) -> None:
    """Every command but migrate says in one sentence what to do, exit code 1."""
    ran = fresh(*command)

    assert (1, 1) == (ran.exit_code, len(ran.stderr.splitlines()))
    assert "run `glyphd migrate`" in ran.stderr


UNUSABLE = {
    "a folder that cannot be": "sqlite:////dev/null/x/glyphd.sqlite",
    "no database": f"sqlite:///{__file__}",
    "a folder": "sqlite:////tmp",
    "another engine": "mysql://user:secret@host/glyphd",
    "no URL": "user:secret@nonsense",
}


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
@pytest.mark.parametrize("name", UNUSABLE)
def test_a_database_that_cannot_be_used(
    fresh: Glyphd, monkeypatch: pytest.MonkeyPatch, name: str, command: list[str]
) -> None:
    """Exit code 4 with one sentence, without a traceback and without a password."""
    monkeypatch.setenv("GLYPHD_DATABASE_URL", UNUSABLE[name])

    ran = fresh(*command)

    assert (ExitCode.UNREACHABLE, 1, "") == (ran.exit_code, len(ran.stderr.splitlines()), ran.stdout)
    assert "secret" not in ran.stderr


def test_an_artifact_store_that_cannot_be_used(glyphd: Glyphd, monkeypatch: pytest.MonkeyPatch, sample: Path) -> None:
    """Exit code 4 with one sentence."""
    monkeypatch.setenv("GLYPHD_ARTIFACTS_URL", "/dev/null/artifacts")

    ran = glyphd("import", sample)

    assert (ExitCode.UNREACHABLE, 1) == (ran.exit_code, len(ran.stderr.splitlines()))


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
@pytest.mark.parametrize(("variable", "value"), [("PORT", "x"), ("LOG_LEVEL", "loud"), ("MAX_QUEUE", "0")])
def test_a_setting_that_is_not_accepted(
    fresh: Glyphd, monkeypatch: pytest.MonkeyPatch, command: list[str], variable: str, value: str
) -> None:
    """Exit code 2 with one sentence that names the variable."""
    monkeypatch.setenv(f"GLYPHD_{variable}", value)

    ran = fresh(*command)

    assert (ExitCode.USAGE, 1) == (ran.exit_code, len(ran.stderr.splitlines()))
    assert f"GLYPHD_{variable}" in ran.stderr


def test_a_settings_file_that_cannot_be_read(fresh: Glyphd, tmp_path: Path) -> None:
    """Exit code 2 with one sentence."""
    (tmp_path / "glyphd.toml").write_text("a = [")

    ran = fresh("imports", "list")

    assert (ExitCode.USAGE, 1) == (ran.exit_code, len(ran.stderr.splitlines()))


def test_a_port_that_is_taken(glyphd: Glyphd, tmp_path: Path) -> None:
    """`serve` says so in one sentence and starts nothing."""
    ran = glyphd("serve", "--host", "192.0.2.1", "--port", "9")

    assert (ExitCode.FAILED, 1) == (ran.exit_code, len(ran.stderr.splitlines()))
    assert "The server cannot listen: 192.0.2.1:9" in ran.stderr


def test_the_openapi_document_is_printed(glyphd: Glyphd) -> None:
    """One line of JSON: what the server serves."""
    ran = glyphd("openapi")

    assert create_app(Settings()).openapi() == json.loads(ran.stdout)
    assert 1 == len(ran.stdout.splitlines())


def test_the_version(glyphd: Glyphd) -> None:
    """`--version` prints it and nothing else."""
    assert f"glyphd {__version__}\n" == glyphd("--version").stdout


@pytest.mark.parametrize("command", [["serv"], ["imports", "purge"], ["import"], ["imports", "show"]], ids=" ".join)
def test_a_wrong_usage(glyphd: Glyphd, command: list[str]) -> None:
    """Exit code 2."""
    assert ExitCode.USAGE == glyphd(*command).exit_code


def test_a_command_loads_only_what_it_needs(glyphd: Glyphd) -> None:
    """`--version` loads no library of weight, a client nothing of the store, and a worker not the HTTP API."""
    heavy = "print(sorted({'fastapi', 'uvicorn', 'polars', 'sqlalchemy'} & set(sys.modules)))"
    codes = {
        "--version": f"import sys; from glyphd.cli.main import app; {heavy}",
        "worker": f"import sys, glyphd.cli.worker; {heavy}",
        "imports of a server": f"import sys, glyphd.cli.imports, glyphd.cli.remote; {heavy}",
    }

    loaded = {
        name: subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()
        for name, code in codes.items()
    }

    assert {"--version": "[]", "worker": "['polars', 'sqlalchemy']", "imports of a server": "[]"} == loaded


def test_progress_and_logs_stay_off_standard_output(glyphd: Glyphd, sample: Path) -> None:
    """In a process of its own: the JSON alone is on standard output, and nothing on standard error when all is well."""
    command = [sys.executable, "-m", "glyphd", "import", str(sample), "--json"]

    ran = subprocess.run(command, capture_output=True, text=True, check=False)

    assert (0, "") == (ran.returncode, ran.stderr)
    assert ("published", 8) == tuple(json.loads(ran.stdout)[name] for name in ("status", "count"))


def test_a_reader_that_goes_away_is_no_traceback(glyphd: Glyphd, make_csv: Callable[..., Path]) -> None:
    """`glyphd … | head` ends quietly."""
    command = ["sh", "-c", f"{sys.executable} -m glyphd openapi | head -c 1"]

    ran = subprocess.run(command, capture_output=True, text=True, check=False)

    assert ("{", "") == (ran.stdout, ran.stderr)
