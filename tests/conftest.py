"""Fixtures that every kind of test shares: factories for a migrated installation and for batches."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from glyphd.bootstrap import build_context
from glyphd.services.context import Context
from glyphd.services.options import ImportOptions
from glyphd.services.receiving import receive_import, store_file
from glyphd.services.reporting import ImportReport, report_import
from glyphd.services.running import run_next
from glyphd.settings import Settings
from glyphd.store import schema

REPOSITORY = Path(__file__).parent.parent
PIPELINE_FILES = REPOSITORY.parent / "shared" / "data" / "pipeline"

GOOD_ROW = {
    "canonical_model": "H100_PCIE_80GB",
    "vram_gb": "80",
    "mig_support": "7",
    "nvlink": "True",
    "tdp_watts": "350",
    "price": "28450.00",
    "score": "71.4",
}


@pytest.fixture(autouse=True)
def _environment() -> Iterator[None]:
    """Put the environment back: `serve` writes its settings there for the processes it starts."""
    before = dict(os.environ)
    yield
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture(scope="session")
def migrated_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty database at the newest revision, made once; tests work on copies."""
    path = tmp_path_factory.mktemp("migrated") / "glyphd.sqlite"
    context = build_context(Settings(database_url=f"sqlite:///{path}"))
    schema.upgrade(context.database.engine)
    context.database.dispose()
    return path


@pytest.fixture
def make_settings(tmp_path: Path, migrated_database: Path) -> Callable[..., Settings]:
    """Make settings over a fresh, migrated database in the test's own folder."""

    def make(name: str = "glyphd", **values: Any) -> Settings:
        path = tmp_path / name / "glyphd.sqlite"
        path.parent.mkdir(exist_ok=True)
        if not path.exists():
            shutil.copy(migrated_database, path)
        return Settings(database_url=f"sqlite:///{path}", **values)

    return make


@pytest.fixture
def make_context(make_settings: Callable[..., Settings]) -> Iterator[Callable[..., Context]]:
    """Make a context over a fresh, migrated database; its connections are closed in the end."""
    made: list[Context] = []

    def make(name: str = "glyphd", **values: Any) -> Context:
        made.append(build_context(make_settings(name, **values)))
        return made[-1]

    yield make
    for context in made:
        context.database.dispose()


@pytest.fixture
def context(make_context: Callable[..., Context]) -> Context:
    """A context over a fresh, migrated database."""
    return make_context()


@pytest.fixture
def make_csv(tmp_path: Path) -> Callable[..., Path]:
    """Write a CSV file of good rows, each changed by the members given for it."""

    def make(*rows: dict[str, str], name: str = "batch.csv") -> Path:
        path = tmp_path / name
        lines = [",".join({**GOOD_ROW, **row}.values()) for row in rows]
        columns = list({**GOOD_ROW, **(rows[0] if rows else {})})
        path.write_text("\n".join([",".join(columns), *lines]) + "\n", encoding="utf-8")
        return path

    return make


@pytest.fixture
def import_file(context: Context) -> Callable[..., ImportReport]:
    """Import a file into the test's database, run by this process, and return its report."""

    def run(path: Path, **options: Any) -> ImportReport:
        artifact = store_file(context, path)
        import_id = receive_import(context, ImportOptions(**options), [artifact], "test")
        run_next(context, "worker")
        return report_import(context, import_id)

    return run


@pytest.fixture
def pipeline_file() -> Callable[[str], Path]:
    """Find a real file of the data that is shared beside the project; skip where it is not."""

    def find(name: str) -> Path:
        if not PIPELINE_FILES.is_dir():
            pytest.skip("the shared data is not beside the project")
        return PIPELINE_FILES / name

    return find
