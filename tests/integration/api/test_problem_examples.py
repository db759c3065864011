"""The examples of `docs/reference/problems.md` are what is answered: one for every type of problem."""

import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from glyphd.api.examples import IMPORT_ID
from glyphd.errors import problem_types
from glyphd.services.context import Context
from glyphd.settings import Settings
from tests.engines import Databases
from tests.integration.api.problem_examples import ASKED
from tests.integration.api.problem_scenes import SCENES, Scene, answered
from tools.reference import PROBLEM_EXAMPLES, problem_examples

ENGINE_SAYS = {"migration_failed": "sqlite", "store_unavailable": "sqlite"}
"""Problems whose words are an engine's own: the example is that of one engine."""
SAID_CODE = {"unknown_problem": "quota_exceeded"}
"""What such a problem has for its code: the one that the newer server said."""
RECORDING = os.environ.get("RECORD_PROBLEM_EXAMPLES")


@pytest.fixture
def scene(
    make_api: Callable[..., httpx.Client],
    make_context: Callable[..., Context],
    make_settings: Callable[..., Settings],
    databases: Databases,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> Scene:
    """Where problems happen."""
    return Scene(make_api, make_context, make_settings, databases, monkeypatch, tmp_path)


def provoked(scene: Scene, code: str) -> dict[str, Any]:
    """Return the problem of a type, with the ids of this run replaced by one that is always the same."""
    if code in SCENES:
        problem = answered(SCENES[code](scene))
    else:
        asked = ASKED[code]
        problem = answered(scene.make_api(**asked.settings).request(asked.method, asked.path, **asked.arguments))
    text = re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", IMPORT_ID, json.dumps(problem))
    same: dict[str, Any] = json.loads(text)
    return same


def test_every_type_of_problem_has_an_example() -> None:
    """And no example is of a type that is none."""
    assert set(problem_types()) == set(problem_examples())
    assert set(problem_types()) == {*ASKED, *SCENES}


@pytest.mark.parametrize("code", sorted({*ASKED, *SCENES}))
def test_the_example_is_what_is_answered(scene: Scene, engine: str, code: str) -> None:
    """To the letter, but for ids. RECORD_PROBLEM_EXAMPLES=1 writes what is answered today, for review."""
    problem = provoked(scene, code)

    if RECORDING and engine == ENGINE_SAYS.get(code, engine):
        written = json.dumps(dict(sorted({**problem_examples(), code: problem}.items())), indent=2, ensure_ascii=False)
        PROBLEM_EXAMPLES.write_text(written + "\n", encoding="utf-8")
    if engine == ENGINE_SAYS.get(code, engine):
        assert problem_examples()[code] == problem
    assert SAID_CODE.get(code, code) == problem["code"]
