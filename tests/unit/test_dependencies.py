"""What is declared is what is used, and all of it is pinned (ADR 0001, ADR 0002)."""

import ast
import re
import sys
import tomllib
from importlib.metadata import packages_distributions, version
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
RUN_TIME = [Requirement(text).name for text in PROJECT["project"]["dependencies"]]
DEVELOPMENT = [Requirement(text).name for text in PROJECT["dependency-groups"]["dev"]]
PINS = PROJECT["tool"]["uv"]["constraint-dependencies"]
BUILD_PINS = PROJECT["tool"]["uv"]["build-constraint-dependencies"]
LATER_STDLIB = {"compression"}  # Python 3.14
PIN = re.compile(r"[a-z0-9-]+==[0-9][^ /:@]*( ; [a-z_]+ [<>=!]+ '[^']+'( (and|or) [a-z_]+ [<>=!]+ '[^']+')*)?")


def _imported(folder: str) -> set[str]:
    names = set()
    for file in (ROOT / folder).rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Import):
                names |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                names.add(node.module)
    return {name.partition(".")[0] for name in names} - sys.stdlib_module_names - {"glyphd", *LATER_STDLIB}


def test_what_the_package_imports_is_declared_and_what_is_declared_is_imported() -> None:
    """A dependency that came along with another one may leave with it; one that nothing imports is only a burden."""
    of_module = packages_distributions()
    imported = {canonicalize_name(of_module[name][0]) for name in _imported("src/glyphd")}
    assert sorted(RUN_TIME) == sorted(imported)


def test_every_dependency_has_its_reason() -> None:
    """A decision record names what each one is for: 0001, or a later one of the same subject."""
    record = "".join(path.read_text() for path in sorted((ROOT / "docs/decisions").glob("*.md")))
    assert [name for name in [*RUN_TIME, *DEVELOPMENT] if not re.search(rf"\b{name}\b", record)] == []


def test_every_dependency_is_pinned() -> None:
    """`make lock` was run after the last change of the dependencies."""
    assert {*RUN_TIME, *DEVELOPMENT} - {Requirement(pin).name for pin in PINS} == set()


def test_a_pin_is_one_exact_version_and_names_no_host() -> None:
    """Nothing of the registry that was asked gets into the repository."""
    assert [pin for pin in [*PINS, *BUILD_PINS] if not PIN.fullmatch(pin)] == []


def test_the_tests_run_with_the_pinned_versions() -> None:
    """uv obeys the constraints."""
    pinned = [requirement for pin in PINS if _applies(requirement := Requirement(pin))]
    installed = {requirement.name: f"=={version(requirement.name)}" for requirement in pinned}
    assert installed == {requirement.name: str(requirement.specifier) for requirement in pinned}


def _applies(requirement: Requirement) -> bool:
    return requirement.marker is None or requirement.marker.evaluate()


def test_no_lock_file_is_committed() -> None:
    """It would record the hosts of the registries."""
    assert "uv.lock" in (ROOT / ".gitignore").read_text().splitlines()
