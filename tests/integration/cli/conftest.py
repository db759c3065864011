"""The command line in this process, on a fresh database that its environment names."""

from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from glyphd.cli.main import app
from glyphd.settings import Settings

SAMPLE = Path(__file__).parents[3] / "sample" / "scored_sample.csv"
Glyphd = Callable[..., Result]


@pytest.fixture
def glyphd(monkeypatch: pytest.MonkeyPatch, make_settings: Callable[..., Settings], tmp_path: Path) -> Glyphd:
    """Run a command on a migrated database of the test's own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GLYPHD_DATABASE_URL", make_settings().database_url)

    def run(*arguments: str | Path) -> Result:
        return CliRunner().invoke(app, [str(argument) for argument in arguments])

    return run


@pytest.fixture
def sample() -> Path:
    """The project's own sample: 10 records, 8 of them valid."""
    return SAMPLE
