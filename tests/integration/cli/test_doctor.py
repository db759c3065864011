"""`glyphd doctor`: one line a finding, JSON for programs, and an exit code that says how bad it is."""

import json
from pathlib import Path

import pytest

from glyphd.cli.output import ExitCode
from glyphd.domain.findings import Check
from glyphd.settings import Settings
from tests.integration.cli.conftest import Glyphd


def _artifacts() -> Path:
    return Settings().artifacts_folder


def test_a_sound_installation(glyphd: Glyphd, sample: Path) -> None:
    """Exit code 0, a line for everything that was looked at, and nothing else."""
    glyphd("import", sample)
    ran = glyphd("doctor")
    lines = [line.split(maxsplit=2) for line in ran.stdout.splitlines()]
    assert (ExitCode.OK, "") == (ran.exit_code, ran.stderr)
    assert list(Check) == list(dict.fromkeys(check for _, check, _ in lines))
    assert "The ledger's artifacts are all there: 1, with 1.4 KiB." in [said for _, _, said in lines]


def test_a_problem(glyphd: Glyphd, sample: Path) -> None:
    """Exit code 1; what was found and what to do are in one line, and two members."""
    glyphd("import", sample)
    (file,) = [path for path in _artifacts().glob("??/*") if path.is_file()]
    file.unlink()
    shown, told = glyphd("doctor"), glyphd("doctor", "--json")
    (problem,) = [finding for finding in json.loads(told.stdout) if finding["level"] == "problem"]
    said = f"Of the ledger's artifacts, 1 of 1 are missing from {_artifacts()}: {file.name}."
    advice = f"Restore {_artifacts()} from a backup, or import the same files again, which puts their bytes back."
    assert {"check": "artifacts", "level": "problem", "found": said, "advice": advice} == problem
    assert f"problem  artifacts  {said} {advice}" in shown.stdout.splitlines()
    assert [ExitCode.FAILED] * 2 == [shown.exit_code, told.exit_code]


def test_a_warning_is_no_failure(glyphd: Glyphd, monkeypatch: pytest.MonkeyPatch) -> None:
    """Exit code 0."""
    (_artifacts() / "incoming").mkdir(parents=True)
    monkeypatch.setattr("glyphd.artifacts.folder.STALE_SECONDS", -60)
    (_artifacts() / "incoming" / "old").write_text("")
    ran = glyphd("doctor")
    assert ExitCode.OK == ran.exit_code
    # `integrity` is how the server that tests run on is set
    warned = [line.split()[1] for line in ran.stdout.splitlines() if line.startswith("warning")]
    assert ["artifacts"] == [check for check in warned if check != "integrity"]


def test_a_database_that_is_not_migrated(glyphd: Glyphd) -> None:
    """Exit code 1, and what to run."""
    glyphd("migrate", "--to", "base")
    ran = glyphd("doctor")
    said = "The database has not been migrated. Run `glyphd migrate`, or `glyphd serve --migrate`."
    assert ExitCode.FAILED == ran.exit_code
    assert f"problem  schema     {said}" in ran.stdout.splitlines()


def test_a_database_that_cannot_be_used(glyphd: Glyphd, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Exit code 4; a file that is none, with markup in its name, is shown as it is."""
    path = tmp_path / "[red]none[/red].sqlite"
    monkeypatch.setenv("GLYPHD_DATABASE_URL", f"sqlite:///{path}")
    ran = glyphd("doctor")
    assert (ExitCode.UNREACHABLE, "") == (ran.exit_code, ran.stderr)
    assert ran.stdout.startswith(f"problem  database   There is no database at {path}. ")
    assert not path.exists()


@pytest.mark.parametrize("url", ["user:secret@nonsense", "mysql://user:secret@host/glyphd"])
def test_a_url_that_names_no_database(glyphd: Glyphd, monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    """There is nothing to look at: one sentence, exit code 4, without a password."""
    monkeypatch.setenv("GLYPHD_DATABASE_URL", url)
    ran = glyphd("doctor", "--json")
    assert (ExitCode.UNREACHABLE, 1, "") == (ran.exit_code, len(ran.stderr.splitlines()), ran.stdout)
    assert "secret" not in ran.stderr
