"""`glyphd export -o folder/`: a dataset that engines read as it is, brought up to date by running it again."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import polars as pl
import pyarrow.dataset as pads
import pytest
from typer.testing import Result

from glyphd.cli import lake
from glyphd.services.context import Context
from glyphd.settings import Settings
from tests.serving import serving

Glyphd = Callable[..., Result]
ODD_SOURCE = "ebay/halbry & söhne=50%"


@pytest.fixture
def crawl(glyphd: Glyphd, sample: Path) -> Callable[..., str]:
    """Import the sample for a source, and return its import_id."""

    def run(source: str = "shop", *options: str) -> str:
        ran = glyphd("import", sample, "--source", source, "--json", *options)
        assert ran.exit_code in {0, 3}, ran.output
        import_id: str = json.loads(ran.stdout)["import_id"]
        return import_id

    return run


@pytest.fixture(params=["here", "there"])
def export(
    request: pytest.FixtureRequest,
    glyphd: Glyphd,
    make_settings: Callable[..., Settings],
    make_context: Callable[..., Context],
) -> Iterator[Callable[..., str]]:
    """Export to a folder from the database itself, or from a server; return what it says."""

    def run(*options: str, exit_code: int = 0, where: tuple[str, ...] = ()) -> str:
        ran = glyphd(*where, "export", "-o", "lake/", *options)
        assert exit_code == ran.exit_code, ran.output
        return ran.output.strip()

    if request.param == "here":
        yield run
        return
    with serving(make_settings(), make_context()) as client:
        yield lambda *options, exit_code=0: run(*options, exit_code=exit_code, where=("--url", str(client.base_url)))


def files() -> dict[str, int]:
    """Return the files of the lake, and when each was written."""
    return {str(file.relative_to("lake")): file.stat().st_mtime_ns for file in Path("lake").rglob("*.parquet")}


def rows_by_import() -> dict[str, int]:
    """Return how many rows a reader of the lake finds of each import."""
    found = pl.scan_parquet("lake/**/*.parquet", hive_partitioning=True).group_by("import_id").len().collect()
    return dict(found.iter_rows())


def test_engines_read_it_as_it_is(crawl: Callable[..., str], export: Callable[..., str]) -> None:
    """Partitions are columns, whatever a source is called; polars and Arrow find every listing with its lineage."""
    first, second = crawl(), crawl(ODD_SOURCE)
    assert "2 imports added, 0 removed, 0 kept" == export()

    assert {first: 8, second: 8} == rows_by_import()
    rows = pl.scan_parquet("lake/**/*.parquet", hive_partitioning=True).collect()
    assert {"shop", ODD_SOURCE} == set(rows["source"])
    assert 64 == len(rows["artifact_sha256"][0])
    table = pads.dataset("lake", format="parquet", partitioning="hive").to_table(columns=["source", "price"])
    assert {"shop", ODD_SOURCE} == set(table["source"].to_pylist())
    assert sorted(rows["price"]) == sorted(table["price"].to_pylist())


def test_it_is_brought_up_to_date(crawl: Callable[..., str], export: Callable[..., str], glyphd: Glyphd) -> None:
    """What is new is added, what was rolled back or superseded goes, what is there is not written again."""
    first, second = crawl(), crawl()
    export()
    before = files()
    glyphd("imports", "rollback", first)
    third = crawl("other")

    assert "1 imports added, 1 removed, 1 kept" == export()
    assert {second: 8, third: 8} == rows_by_import()
    assert before.items() & files().items() == {(name, at) for name, at in before.items() if second in name}

    glyphd("imports", "restore", first)
    replay = json.loads(glyphd("imports", "replay", second, "--json").stdout)["import_id"]
    assert "2 imports added, 1 removed, 1 kept" == export()
    assert {first: 8, replay: 8, third: 8} == rows_by_import()
    assert "0 imports added, 0 removed, 3 kept" == export()


@pytest.mark.parametrize("damage", ["broken off", "no footer", "another footer", "other rows", "another import"])
def test_a_damaged_file_is_written_anew(crawl: Callable[..., str], export: Callable[..., str], damage: str) -> None:
    """One without a whole footer, or one that tells of other rows; the others are not written again."""
    first, second = crawl(), crawl("other")
    export()
    file, other = (
        Path(f"lake/source={source}/import_id={import_id}/part-0.parquet")
        for source, import_id in (("shop", first), ("other", second))
    )
    whole, kept = file.read_bytes(), files()[str(other.relative_to("lake"))]
    size = len(whole) - 8 - int.from_bytes(whole[-8:-4], "little")
    match damage:
        case "broken off":
            file.write_bytes(whole[:-40])
        case "no footer":
            file.write_bytes(b"")
        case "another footer":
            file.write_bytes(whole[:size] + b"\xff" * (len(whole) - 8 - size) + whole[-8:])
        case "other rows":
            pl.read_parquet(file).head(3).write_parquet(file)
        case _:
            file.write_bytes(other.read_bytes())

    assert "1 imports added, 0 removed, 1 kept" == export()
    assert whole == file.read_bytes()
    assert kept == files()[str(other.relative_to("lake"))]
    assert {first: 8, second: 8} == rows_by_import()
    assert "0 imports added, 0 removed, 2 kept" == export()


def test_one_source(crawl: Callable[..., str], export: Callable[..., str]) -> None:
    """A lake of one source; another query does not get into it."""
    first, _ = crawl(), crawl("other")
    export("--source", "shop")

    assert {first: 8} == rows_by_import()
    assert "another query" in export(exit_code=1)


@pytest.mark.parametrize("options", [("--model", "L4"), ("--current",), ("--format", "csv")])
def test_a_lake_has_whole_imports(
    crawl: Callable[..., str], export: Callable[..., str], options: tuple[str, ...]
) -> None:
    """What would narrow them is a wrong usage, and nothing is written."""
    crawl()
    export(*options, exit_code=2)

    assert not Path("lake").exists()


def test_what_is_not_ours_is_left_alone(crawl: Callable[..., str], export: Callable[..., str]) -> None:
    """A folder with anything in it is refused; a file of somebody else's in a lake stays."""
    import_id = crawl()
    Path("lake").mkdir()
    Path("lake/thesis.txt").write_text("mine")
    assert "no lake" in export(exit_code=1)
    assert ["thesis.txt"] == [file.name for file in Path("lake").iterdir()]

    Path("lake/thesis.txt").unlink()
    export()
    (other := Path(f"lake/source=shop/import_id={import_id}/notes.txt")).write_text("mine")
    export()
    assert "mine" == other.read_text()


def test_what_a_killed_run_left_is_cleared_away(crawl: Callable[..., str], export: Callable[..., str]) -> None:
    """A half-written file has another name, which readers leave out, and is gone after the next run."""
    import_id = crawl()
    export()
    half = Path(f"lake/source=shop/import_id={import_id}/.part-0.parquet-x1y2")
    half.write_bytes(b"PAR1")

    assert {import_id: 8} == rows_by_import()
    assert "0 imports added, 0 removed, 1 kept" == export()
    assert not half.exists()


def test_an_import_that_goes_while_it_is_written_is_skipped(
    crawl: Callable[..., str], export: Callable[..., str], glyphd: Glyphd, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of an import that is taken out and put back meanwhile no file stays that lacks its rows."""
    import_id = crawl()
    write = lake.write_whole

    def rolled_back_first(portions: object, target: Path, *holds: object) -> bool:
        if target.name == lake.MARKER:
            return write(portions, target)  # type: ignore[arg-type] # handed on
        glyphd("imports", "rollback", import_id)
        glyphd_was = write(portions, target, *holds)  # type: ignore[arg-type] # handed on
        glyphd("imports", "restore", import_id)
        return glyphd_was

    with monkeypatch.context() as patched:
        patched.setattr(lake, "write_whole", rolled_back_first)
        told = export()

    assert told in {"0 imports added, 0 removed, 0 kept, 1 skipped", "1 imports added, 0 removed, 0 kept"}
    export()
    assert {import_id: 8} == rows_by_import()
