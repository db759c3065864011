"""The console's scripts stay small, and ours."""

from pathlib import Path

STATIC = Path(__file__).parents[2] / "src" / "glyphd" / "console" / "static"


def test_scripts_have_at_most_five_hundred_lines() -> None:
    """Pages are made on the server; a script only spares a person a reload."""
    lines = [line for path in STATIC.rglob("*.js") for line in path.read_text(encoding="utf-8").splitlines()]
    assert 0 < len(lines) <= 500
