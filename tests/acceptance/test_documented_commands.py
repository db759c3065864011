"""The commands that README and how-to pages show are run, in order, in an empty folder with the sample in it."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.engines import PostgresDatabases

REPOSITORY = Path(__file__).parents[2]
PAGES = [REPOSITORY / "README.md", *sorted((REPOSITORY / "docs" / "how-to").glob("*.md"))]
SHOWN_ELSEWHERE = (
    "make ",
    "uv run glyphd serve",
    "GLYPHD_PIPELINE_DIR=sample uv run glyphd serve",
    "GLYPHD_IMPORT_WORKERS=0 uv run glyphd serve",
    "uv run glyphd worker",
)
POSTGRES = "postgresql://glyphd@db.example/glyphd"
GLYPHD = f"{sys.executable} -m glyphd"


def _commands(page: Path) -> list[str]:
    blocks = re.findall(r"```console\n(.*?)```", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    lines = [line[2:].split("  #")[0] for block in blocks for line in block.splitlines() if line.startswith("$ ")]
    return [line for line in lines if not line.startswith(SHOWN_ELSEWHERE)]


def _examples(page: Path) -> list[str]:
    """Return the Python of a page, which it says to save as `example.py`."""
    return re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), flags=re.DOTALL)


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """An empty folder with the project's sample."""
    shutil.copytree(REPOSITORY / "sample", tmp_path / "sample")
    return tmp_path


@pytest.fixture
def run(workspace: Path) -> Callable[..., str]:
    """Run a documented command in the workspace, with default settings but for those given; it must succeed."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith("GLYPHD_")}

    def run_command(command: str, **settings: str) -> str:
        done = subprocess.run(
            ["bash", "-c", command],
            cwd=workspace,
            env=plain | settings,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    return run_command


@contextmanager
def _serving(workspace: Path) -> Iterator[str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GLYPHD_")}
    environment["GLYPHD_PIPELINE_DIR"] = str(workspace / "sample")
    command = [sys.executable, "-m", "glyphd", "serve", "--migrate", "--port", str(port)]
    with subprocess.Popen(command, cwd=workspace, env=environment, stderr=subprocess.DEVNULL) as server:
        try:
            _wait_until_ready(port)
            yield f"localhost:{port}"
        finally:
            server.send_signal(signal.SIGTERM)


def _wait_until_ready(port: int) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            if httpx.get(f"http://127.0.0.1:{port}/readyz").status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.1)
    pytest.fail("the server did not become ready")


def _latest_import(run: Callable[[str], str]) -> str:
    listed = run(f"{GLYPHD} imports list --json")
    found = re.search(r'"import_id":"([^"]+)"', listed)
    return found.group(1) if found else ""


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
@pytest.mark.parametrize("page", [page for page in PAGES if _commands(page)], ids=lambda page: page.name)
def test_every_command_of_a_page_succeeds(
    page: Path, workspace: Path, run: Callable[..., str], request: pytest.FixtureRequest
) -> None:
    """What a page tells a reader to type works, against a real server; a database of PostgreSQL is an empty one."""
    settings: dict[str, str] = {}
    with _serving(workspace) as address:
        for example in _examples(page):
            (workspace / "example.py").write_text(example.replace("localhost:8080", address))
        for shown in _commands(page):
            command = shown
            if POSTGRES in command:
                command = command.replace(POSTGRES, request.getfixturevalue("postgres_database"))
            if command.startswith("export "):
                name, _, value = command.removeprefix("export ").partition("=")
                settings[name] = value
                continue
            command = (
                command.replace("uv run glyphd", GLYPHD)
                .replace("uv run python", sys.executable)
                .replace("localhost:8080", address)
            )
            if "import_id>" in command or re.search(r"01a2[0-9a-f-]+", command):
                latest = _latest_import(run)
                if not latest:
                    run(f"{GLYPHD} import sample/scored_sample.csv")
                    latest = _latest_import(run)
                command = re.sub(r"<import_id>|01a2[0-9a-f]{4}-[0-9a-f-]{27}", latest, command)
            run(command.replace("curl ", "curl -sS --fail-with-body "), **settings)


@pytest.fixture
def postgres_database(postgres_url: str, tmp_path: Path) -> Iterator[str]:
    """The URL of an empty database of PostgreSQL."""
    databases = PostgresDatabases(postgres_url)
    yield databases.empty(tmp_path)
    databases.close()


def test_the_loop_of_the_readme_answers_the_rows_it_imported(workspace: Path, run: Callable[[str], str]) -> None:
    """Migrate, serve, POST the sample, GET its listings: eight of ten records."""
    run(f"{GLYPHD} migrate")
    with _serving(workspace) as address:
        with (workspace / "sample" / "scored_sample.csv").open("rb") as file:
            report = httpx.post(f"http://{address}/api/import", files={"file": file}, timeout=60).json()
        rows = httpx.get(f"http://{address}/api/listings", params={"import_id": report["import_id"]}).json()
    assert (10, 8, 2) == (report["received"], report["count"], report["rejected"])
    assert list(range(1, 9)) == [row["import_index"] for row in rows]
