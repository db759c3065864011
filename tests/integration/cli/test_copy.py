"""`glyphd copy` and `glyphd imports digest`."""

import json
import os
from pathlib import Path

import pytest

from glyphd.cli.output import ExitCode
from tests.integration.cli.conftest import Glyphd


@pytest.fixture
def options(glyphd: Glyphd, sample: Path, tmp_path: Path) -> list[str]:
    """The options of a copy to a database that does not exist yet, the sample being imported at the source."""
    assert ExitCode.OK == glyphd("import", sample).exit_code
    target = f"sqlite:///{tmp_path}/new/glyphd.sqlite"
    return [
        "copy",
        "--from",
        os.environ["GLYPHD_DATABASE_URL"],
        "--to",
        target,
        "--to-artifacts",
        f"{tmp_path}/new/files",
    ]


def _digest(glyphd: Glyphd) -> tuple[str, str]:
    listed = json.loads(glyphd("imports", "list", "--json").stdout)[0]["import_id"]
    plain = glyphd("imports", "digest", listed).stdout.strip()
    told = json.loads(glyphd("imports", "digest", listed, "--json").stdout)
    assert {"import_id": listed, "row_digest": plain} == told
    return listed, plain


def test_a_copy_has_the_digest_of_its_source(
    glyphd: Glyphd, options: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Copied with `--migrate`, verified when it is run again, the same to who asks for the digest."""
    before = _digest(glyphd)
    done, again = glyphd(*options, "--migrate"), glyphd(*options)
    assert "1 imports copied and verified: 8 rows, 2 rejections." in done.stdout
    assert "1 were there already" in again.stdout
    monkeypatch.setenv("GLYPHD_DATABASE_URL", options[options.index("--to") + 1])
    assert before == _digest(glyphd)


def test_json_tells_everything(glyphd: Glyphd, options: list[str]) -> None:
    """One document, for programs."""
    told = json.loads(glyphd(*options, "--migrate", "--json").stdout)
    told.pop("left_behind")
    assert told == {
        "dry_run": False, "imports": 1, "verified": 0, "left_to_target": 0, "rows": 8, "rejections": 2,
        "artifacts": 1, "missing_artifacts": [], "legacy_raw": [],
    }  # fmt: skip


def test_a_dry_run_makes_nothing(glyphd: Glyphd, options: list[str], tmp_path: Path) -> None:
    """Not even the target's schema or files."""
    told = glyphd(*options, "--dry-run", "--migrate")
    assert (ExitCode.OK, True) == (told.exit_code, "1 imports would be copied" in told.stdout)
    assert not (tmp_path / "new" / "glyphd.sqlite").exists()


def test_a_missing_file_is_a_warning(glyphd: Glyphd, options: list[str], tmp_path: Path) -> None:
    """The rows come all the same."""
    told = glyphd(*options, "--migrate", "--from-artifacts", tmp_path / "nowhere")
    assert (ExitCode.OK, True) == (told.exit_code, "is missing from the artifact store" in told.stderr)


def test_a_target_that_is_not_migrated_is_one_sentence(glyphd: Glyphd, options: list[str]) -> None:
    """It names what to do, and exits as every command that failed."""
    told = glyphd(*options)
    assert (ExitCode.FAILED, True) == (told.exit_code, "has not been migrated" in told.stderr)


@pytest.mark.parametrize("wrong", ["mysql://x/y", "nonsense", "sqlite:////no/such/file.sqlite"])
def test_a_source_that_cannot_be_is_one_sentence(glyphd: Glyphd, wrong: str, tmp_path: Path) -> None:
    """A URL that is not understood, and a file that is not there."""
    told = glyphd("copy", "--from", wrong, "--to", f"sqlite:///{tmp_path}/new/glyphd.sqlite")
    assert (ExitCode.UNREACHABLE, 1) == (told.exit_code, len(told.stderr.strip().splitlines()))
