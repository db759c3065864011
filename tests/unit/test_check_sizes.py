"""The check of sizes and shapes notices what it is there for (ADR 0004)."""

from pathlib import Path

import pytest

from tools import check_sizes

LONG_BODY = "".join(f"    a{number} = {number}\n" for number in range(30))
SHORT_BODY = "".join(f"    a{number} = {number}\n" for number in range(6))
ROUTE_BODY = "".join(f"    a{number} = {number}\n" for number in range(11))
DOCSTRING = '    """' + "word\n" * 40 + '    """\n'


def _check(root: Path, name: str, source: str, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    file = root / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(source)
    monkeypatch.setattr(check_sizes, "EXEMPT_FILES", {})
    return list(check_sizes.check_tree(root))


@pytest.mark.parametrize(
    ("name", "source", "expected"),
    [
        ("src/glyphd/a.py", "a = 1\n" * 301, "src/glyphd/a.py: 301 lines, at most 300"),
        ("src/glyphd/a.py", f"def f():\n{LONG_BODY}", "src/glyphd/a.py:1: f has 31 lines, at most 30"),
        ("tests/test_a.py", f"async def f():\n{LONG_BODY}", "tests/test_a.py:1: f has 31 lines, at most 30"),
        ("src/glyphd/utils.py", "", "src/glyphd/utils.py: a module is named after its concept, not utils.py"),
        ("src/glyphd/a.py", "def f():\n    import os\n", "src/glyphd/a.py:2: import inside f"),
        (
            "src/glyphd/a.py",
            "class RowManager:\n    pass\n",
            "src/glyphd/a.py:1: class RowManager is named after a pattern, not after what it is",
        ),
        (
            "src/glyphd/api/routes/a.py",
            f"@router.get('/')\ndef f():\n{ROUTE_BODY}",
            "src/glyphd/api/routes/a.py:2: f is a route with 11 lines, at most 10",
        ),
        (
            "tools/a.py",
            f"def f():\n{SHORT_BODY}\n\ndef g():\n{SHORT_BODY}",
            "tools/a.py:10: g has the same body as tools/a.py:1: f",
        ),
    ],
)
def test_what_is_off_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, source: str, expected: str
) -> None:
    """Each rule has a case that breaks it and nothing else."""
    assert _check(tmp_path, name, source, monkeypatch) == [expected]


def test_a_docstring_does_not_make_a_function_long(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody should save on explaining."""
    assert _check(tmp_path, "src/glyphd/a.py", f"def f():\n{DOCSTRING}{SHORT_BODY}", monkeypatch) == []


def test_an_exemption_of_a_file_that_is_gone_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The list of exemptions cannot rot."""
    monkeypatch.setattr(check_sizes, "EXEMPT_FILES", {"src/glyphd/gone.py": "it was long"})
    assert list(check_sizes.check_tree(tmp_path)) == ["src/glyphd/gone.py is exempt but does not exist"]
