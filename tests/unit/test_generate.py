"""The benchmarks' file: the same bytes every time, valid rows valid, invalid rows invalid."""

from pathlib import Path

import pytest

from benchmarks import generate
from benchmarks.baseline_plain import plain_import
from benchmarks.generate import Dataset, dataset


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep generated files out of the repository's own cache."""
    monkeypatch.setattr(generate, "CACHE", tmp_path / "cache")


def test_the_same_arguments_give_the_same_bytes() -> None:
    """A benchmark of today and one of next year read the same file."""
    first = dataset(Dataset(500)).read_bytes()
    dataset(Dataset(500)).unlink()
    assert first == dataset(Dataset(500)).read_bytes()


@pytest.mark.parametrize(("columns", "count"), [("14", 14), ("all", 22)])
def test_both_widths_have_their_columns(columns: str, count: int) -> None:
    """The budget's file has 14 columns; the other one is the whole contract."""
    header = dataset(Dataset(10, columns=columns)).read_text().splitlines()[0]
    assert count == len(header.split(","))


@pytest.mark.parametrize(("invalid_rate", "stored"), [(0.0, 300), (1.0, 0)])
def test_rows_are_as_valid_as_was_asked_for(tmp_path: Path, invalid_rate: float, stored: int) -> None:
    """Without a fault every row passes a strict importer, with one none does."""
    assert stored == plain_import(dataset(Dataset(300, "all", invalid_rate)), tmp_path)


def test_two_seeds_are_two_crawls_of_one_market() -> None:
    """Half of the offers are the same, at other prices."""
    first, second = (set(_urls(dataset(Dataset(1000, seed=seed)))) for seed in (1, 2))
    assert 400 < len(first & second) < 600


def _urls(file: Path) -> list[str]:
    return [cell for cell in file.read_text().replace("\n", ",").split(",") if cell.startswith("https://")]
