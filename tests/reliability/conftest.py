"""Installations whose processes are killed."""

import os
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from glyphd.services.context import Context
from glyphd.settings import Settings
from tests.reliability.processes import Installation


@pytest.fixture(scope="session")
def rounds() -> Callable[[int], int]:
    """Return how many rounds to do: a number, times GLYPHD_TEST_ROUNDS."""
    factor = float(os.environ.get("GLYPHD_TEST_ROUNDS", "1"))
    return lambda number: max(1, round(number * factor))


@pytest.fixture
def chance(request: pytest.FixtureRequest) -> random.Random:
    """A source of chance that GLYPHD_TEST_SEED decides; the seed is printed when the test fails."""
    seed = int(os.environ.get("GLYPHD_TEST_SEED", "0")) or random.SystemRandom().randrange(1, 1 << 32)
    print(f"GLYPHD_TEST_SEED={seed}")  # noqa: T201 - pytest shows it for a test that fails
    return random.Random(seed)


@pytest.fixture
def make_installation(
    tmp_path: Path, make_settings: Callable[..., Settings], make_context: Callable[..., Context]
) -> Iterator[Callable[..., Installation]]:
    """Make an installation with short leases; what it runs is killed in the end."""
    made: list[Installation] = []

    def make(name: str = "glyphd", *, like: str | None = None, **values: Any) -> Installation:
        values = {"lease_seconds": 1, "import_workers": 0, "wait_seconds": 0, **values}
        settings = make_settings(name, like=like, **values)
        context = make_context(name, **values)
        made.append(Installation(settings, context, tmp_path / name))
        return made[-1]

    yield make
    for installation in made:
        installation.stop()
