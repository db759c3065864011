"""`glyphd imports purge`: what it takes, what it says, and when it refuses."""

import json

import pytest

from glyphd.cli.output import ExitCode
from tests.integration.cli.conftest import Glyphd


@pytest.fixture
def rolled_back(glyphd: Glyphd, sample: object) -> str:
    """The sample, imported and rolled back."""
    import_id: str = json.loads(glyphd("import", str(sample), "--json").stdout)["import_id"]
    assert ExitCode.OK == glyphd("imports", "rollback", import_id).exit_code
    return import_id


def status_of(glyphd: Glyphd, import_id: str) -> str:
    """Return the state of an import."""
    status: str = json.loads(glyphd("imports", "show", import_id, "--json").stdout)["status"]
    return status


def test_a_dry_run_says_what_would_go(glyphd: Glyphd, rolled_back: str) -> None:
    """The same line as the purge, in other words; only the purge changes something."""
    sweep = ["imports", "purge", "--rolled-back", "--older-than", "0d"]
    planned = glyphd(*sweep, "--dry-run")
    assert f"{rolled_back} would be purged, 8 rows and 2 rejections.\n" == planned.stdout
    assert "rolled_back" == status_of(glyphd, rolled_back)

    ran = glyphd(*sweep, "--reason", "old")

    said = f"{rolled_back} is purged, 8 rows and 2 rejections; 1 artifacts are gone.\n"
    assert (ExitCode.OK, said) == (ran.exit_code, ran.stdout)
    assert "purged" == status_of(glyphd, rolled_back)
    assert "There is nothing to purge.\n" == glyphd(*sweep).stdout
    assert "old" == json.loads(glyphd("imports", "events", rolled_back, "--json").stdout)[-1]["reason"]


def test_what_is_younger_stays(glyphd: Glyphd, rolled_back: str) -> None:
    """The age may be in hours, days and weeks."""
    for age in ("1h", "90d", "4w"):
        assert "[]\n" == glyphd("imports", "purge", "--rolled-back", "--older-than", age, "--json").stdout
    assert "[]\n" == glyphd("imports", "purge", "--failed", "--discarded", "--older-than", "0d", "--json").stdout
    assert "rolled_back" == status_of(glyphd, rolled_back)


def test_named_with_its_artifact_kept(glyphd: Glyphd, rolled_back: str) -> None:
    """The bytes are still written; without them being kept the answer says what became of them."""
    kept = json.loads(glyphd("imports", "purge", rolled_back, "--keep-artifacts", "--json").stdout)
    assert ([rolled_back], []) == (kept[0]["purged_imports"], kept[0]["removed_artifacts"])
    assert ExitCode.OK == glyphd("imports", "artifact", rolled_back).exit_code

    glyphd("imports", "purge", rolled_back)

    assert "The import was purged, and its artifact is gone." in glyphd("imports", "artifact", rolled_back).stderr


def test_a_refusal(glyphd: Glyphd, rolled_back: str) -> None:
    """Exit code 1 and a line that says why; by force it goes with what hangs on it."""
    glyphd("imports", "restore", rolled_back)
    refused = glyphd("imports", "purge", rolled_back)
    assert (ExitCode.FAILED, "") == (refused.exit_code, refused.stdout)
    assert f"{rolled_back} stays: The import is published; only one that is rolled back" in refused.stderr
    replay = json.loads(glyphd("imports", "replay", rolled_back, "--json").stdout)["import_id"]
    glyphd("imports", "rollback", rolled_back)
    assert ExitCode.FAILED == glyphd("imports", "purge", rolled_back).exit_code

    forced = glyphd("imports", "purge", rolled_back, "--force")

    assert (ExitCode.OK, True) == (forced.exit_code, f", with {replay};" in forced.stdout)
    assert ["purged"] * 2 == [status_of(glyphd, each) for each in (rolled_back, replay)]


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--rolled-back"],
        ["--older-than", "90d"],
        ["--rolled-back", "--older-than", "soon"],
        ["--rolled-back", "--older-than", "-1d"],
    ],
)
def test_a_wrong_usage(glyphd: Glyphd, arguments: list[str]) -> None:
    """What is to go must be said, with its age; nothing is ever purged by default."""
    assert ExitCode.USAGE == glyphd("imports", "purge", *arguments).exit_code


def test_only_here(glyphd: Glyphd, rolled_back: str) -> None:
    """A server has no request for it."""
    ran = glyphd("--url", "http://localhost:1", "imports", "purge", rolled_back)
    assert (ExitCode.USAGE, True) == (ran.exit_code, "this machine only" in " ".join(ran.stderr.split()))
