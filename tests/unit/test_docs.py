"""The documentation says what the code says, and its links lead somewhere."""

import re
from pathlib import Path

import pytest

from tools import reference

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
LINK = re.compile(r"\[[^\]]*\]\(([^)#]+)(?:#[^)]*)?\)")


def test_the_reference_is_what_the_code_says() -> None:
    """`make docs` was run after the last change of a command, a setting, a failure or the contract."""
    assert [file.name for file in reference.outdated()] == []


def test_every_page_of_the_reference_is_generated() -> None:
    """A page whose generator is gone would rot."""
    assert sorted(file.name for file in reference.REFERENCE.glob("*.md")) == sorted(reference.PAGES)


@pytest.mark.parametrize("text", [None, "", "  \n"])
def test_what_is_not_described_cannot_be_documented(text: str | None) -> None:
    """A command, option or setting without a description stops the generator."""
    with pytest.raises(SystemExit, match="option --x of glyphd y has no description"):
        reference.described(text, "option --x of glyphd y")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    """Every relative link names a file of the repository."""
    targets = [target for target in LINK.findall(page.read_text()) if "://" not in target]
    assert [target for target in targets if not (page.parent / target).exists()] == []


def test_every_decision_is_in_the_index() -> None:
    """The index of the decisions lists every record once."""
    folder = ROOT / "docs" / "decisions"
    listed = re.findall(r"\]\((\d{4}-[^)]+)\)", (folder / "README.md").read_text())
    assert sorted(listed) == sorted(file.name for file in folder.glob("[0-9]*.md"))
