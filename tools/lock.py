"""Pin every package glyphd can be built, run and tested with, in `pyproject.toml` itself (ADR 0002).

`uv.lock` records the hosts of the registries it was made with, so it is not committed. Instead the whole tree, for
every supported Python, stands as constraints in `pyproject.toml`, which every `uv sync` and `uv run` obeys.

Run by `make lock`, which keeps the pins that still fit, and by `make upgrade`, which does not.
"""

import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
PROJECT = ROOT / "pyproject.toml"
BEGIN, END = "# >>> pinned by `make lock`", "# <<< pinned by `make lock`"
BLOCK = re.compile(rf"{re.escape(BEGIN)}.*?{re.escape(END)}\n?", re.DOTALL)
PLAIN = ["--no-annotate", "--no-header", "--quiet"]


def _uv(*arguments: str, cwd: Path, stdin: str | None = None) -> list[str]:
    command = [str(ROOT / "tools" / "uv"), *arguments]
    answer = subprocess.run(command, cwd=cwd, input=stdin, text=True, stdout=subprocess.PIPE, check=True)
    return [line for line in answer.stdout.splitlines() if line and not line.startswith("#")]


def _resolve(project: str) -> list[str]:
    """Return the pins of all dependencies of a `pyproject.toml`, with markers where they differ between Pythons."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder)
        (copy / "pyproject.toml").write_text(project)
        (copy / "README.md").touch()
        package = copy / "src" / "glyphd"
        package.mkdir(parents=True)
        shutil.copy(ROOT / "src" / "glyphd" / "__init__.py", package)
        _uv("lock", "--quiet", cwd=copy)
        return _uv("export", "--frozen", "--all-groups", "--no-hashes", "--no-emit-project", *PLAIN, cwd=copy)


def _resolve_build(project: str) -> list[str]:
    """Return the pins of what builds the wheel."""
    found = re.search(r'^\[build-system\]\nrequires = \["([^"]+)"\]', project, re.MULTILINE)
    if found is None:
        raise SystemExit("pyproject.toml: [build-system] requires is expected to name one package")
    arguments = ("pip", "compile", "-", "--universal", "--python-version", "3.11", *PLAIN)
    return _uv(*arguments, cwd=Path(tempfile.gettempdir()), stdin=found[1])


def _entries(name: str, pins: list[str]) -> list[str]:
    return [f"{name} = [", *(f'    "{pin}",' for pin in pins), "]"]


def pinned(project: str, *, upgrade: bool) -> str:
    """Return the text of `pyproject.toml` with its pins renewed."""
    bare = BLOCK.sub("", project).rstrip("\n") + "\n"
    pins = _resolve(bare if upgrade else project)
    lines = [BEGIN, "[tool.uv]", *_entries("constraint-dependencies", pins)]
    lines += [*_entries("build-constraint-dependencies", _resolve_build(bare)), END]
    return bare + "\n" + "\n".join(lines) + "\n"


if __name__ == "__main__":
    PROJECT.write_text(pinned(PROJECT.read_text(), upgrade="--upgrade" in sys.argv[1:]))
