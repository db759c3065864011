"""The migrations travel with the package."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def test_the_wheel_has_every_revision(tmp_path: Path) -> None:
    """An installed glyphd can migrate."""
    uv = next((path for path in (ROOT / ".uv/bin/uv", ROOT / ".uv/uv") if path.exists()), None) or which("uv")
    if uv is None:
        pytest.skip("uv is not installed")
    built = subprocess.run(
        [uv, "build", "--offline", "--wheel", "--out-dir", tmp_path, ROOT], capture_output=True, text=True, check=False
    )
    if built.returncode:
        pytest.skip(f"no wheel can be built here: {built.stderr[-200:]}")
    with zipfile.ZipFile(next(tmp_path.glob("*.whl"))) as wheel:
        packed = set(wheel.namelist())

    folder = ROOT / "src"
    expected = {str(path.relative_to(folder)) for path in (folder / "glyphd/store/migrations").rglob("*.py")}
    assert len(expected) > 20
    assert expected - packed == set()


def which(name: str) -> Path | None:
    """Return where a program is."""
    places = (Path(place) / name for place in os.environ["PATH"].split(os.pathsep))
    return next((place for place in places if place.exists()), None)


def test_the_revisions_are_found_from_anywhere(tmp_path: Path) -> None:
    """They are looked up in the package, not in the working directory."""
    script = (
        "import sqlalchemy; from glyphd.store import schema;"
        "engine = sqlalchemy.create_engine('sqlite:///x.sqlite'); schema.upgrade(engine);"
        "print(schema.schema_status(engine).current); engine.dispose()"
    )
    ran = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True)

    assert ran.stdout == "0013\n"
    assert ran.stderr == ""
