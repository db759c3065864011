"""Fixtures that every kind of test shares: factories for a migrated installation and for batches."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from glyphd.bootstrap import build_context
from glyphd.domain.report import ImportReport
from glyphd.services.context import Context
from glyphd.services.options import ImportOptions
from glyphd.services.receiving import receive_import, store_file
from glyphd.services.reporting import report_import
from glyphd.services.running import run_next
from glyphd.settings import Settings
from tests.browser.wanting import WANTING_BROWSER
from tests.engines import ENGINES, WANTING, Databases, PostgresDatabases, SqliteDatabases, server_or_skip
from tools.postgres import PostgresServer

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


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say plainly what was not tested for want of PostgreSQL or a browser, however many other tests were skipped."""
    reasons = {str(report.longrepr[2]) for report in terminalreporter.getreports("skipped") if report.longrepr}
    for what, wanting in (("PostgreSQL was", WANTING), ("The console's pages were", WANTING_BROWSER)):
        for reason in sorted(reason for reason in reasons if wanting in reason):
            terminalreporter.write_line(f"{what} not tested: {reason}", yellow=True)


@pytest.fixture(autouse=True)
def _environment() -> Iterator[None]:
    """Put the environment back: `serve` writes its settings there for the processes it starts."""
    before = dict(os.environ)
    yield
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """A PostgreSQL server of this test run, started as an unprivileged user."""
    with server_or_skip() as server:
        yield server


@pytest.fixture(scope="session")
def postgres_url(request: pytest.FixtureRequest) -> str:
    """A PostgreSQL server to make databases on: that of GLYPHD_TEST_POSTGRES_URL, else one of this test run."""
    given = os.environ.get("GLYPHD_TEST_POSTGRES_URL")
    return given or str(request.getfixturevalue("postgres_server").url())


@pytest.fixture(scope="session", params=ENGINES)
def engine(request: pytest.FixtureRequest) -> str:
    """The engine that a test runs on: each test that has a database runs once on every engine."""
    return str(request.param)


@pytest.fixture(scope="session")
def _all_databases(
    engine: str, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Databases]:
    if engine == "sqlite":
        yield SqliteDatabases(tmp_path_factory.mktemp("migrated") / "glyphd.sqlite")
        return
    databases = PostgresDatabases(request.getfixturevalue("postgres_url"))
    yield databases
    databases.close()


@pytest.fixture
def databases(_all_databases: Databases) -> Iterator[Databases]:
    """Makes databases of the engine under test; they go with the test."""
    before = _all_databases.made()
    yield _all_databases
    _all_databases.remove_from(before)


@pytest.fixture
def make_settings(tmp_path: Path, databases: Databases) -> Callable[..., Settings]:
    """Make settings over a fresh, migrated database, the same for the same name; its files are in a folder so named.

    ``like`` names an installation to copy, files and all, that nobody is connected to.
    """
    urls: dict[str, str] = {}

    def make(name: str = "glyphd", *, like: str | None = None, **values: Any) -> Settings:
        folder = tmp_path / name
        if name not in urls and like:
            shutil.copytree(tmp_path / like, folder)
            urls[name] = databases.clone(urls[like], folder)
        elif name not in urls:
            folder.mkdir(exist_ok=True)
            urls[name] = databases.migrated(folder)
        return Settings(**{"database_url": urls[name], "artifacts_url": str(folder / "artifacts"), **values})

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
