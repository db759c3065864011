"""The real server: `python -m glyphd serve` on a port of 127.0.0.1, with its worker process and a SQLite file."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.engines import Databases

SAMPLE = Path(__file__).parents[2] / "sample" / "scored_sample.csv"
START_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Server:
    """A running server: its process, where it answers, what it has logged, and its folder."""

    process: subprocess.Popen[bytes]
    client: httpx.Client
    log: Path
    folder: Path

    def logged(self) -> list[dict[str, Any]]:
        """Return the lines of its log, each of which must be JSON."""
        return [json.loads(line) for line in self.log.read_text().splitlines()]


def run_glyphd(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end, in a folder."""
    return subprocess.run(
        [sys.executable, "-m", "glyphd", *arguments],
        cwd=folder,
        env=environment_with(environment),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def environment_with(given: dict[str, str]) -> dict[str, str]:
    """Return this process's environment without its own settings of glyphd, and with those given."""
    return {name: value for name, value in os.environ.items() if not name.startswith("GLYPHD_")} | given


@contextmanager
def serving(folder: Path, *arguments: str, **environment: str) -> Iterator[Server]:
    """Run a server in a folder until the end of the block."""
    log = folder / "server.log"
    command = [sys.executable, "-m", "glyphd", "serve", "--port", "0", *arguments]
    with log.open("wb") as stderr:
        process = subprocess.Popen(command, cwd=folder, env=environment_with(environment), stderr=stderr)
    try:
        with httpx.Client(base_url=_url(process, log), timeout=120) as client:
            _wait_until_ready(client)
            yield Server(process, client, log, folder)
    finally:
        process.terminate()
        process.wait(30)


def _url(process: subprocess.Popen[bytes], log: Path) -> str:
    """Return where the server listens, which its first line says."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        for line in log.read_text().splitlines():
            if '"server.starting"' in line:
                url: str = json.loads(line)["url"]
                return url
        time.sleep(0.02)
    raise AssertionError(log.read_text())


def _wait_until_ready(client: httpx.Client) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        try:
            if client.get("/readyz").status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.02)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory, engine: str, _all_databases: Databases) -> Iterator[Server]:
    """One server for the tests that do not care about its beginning or its end."""
    folder = tmp_path_factory.mktemp("server")
    with serving(folder, "--migrate", **environment_on(engine, _all_databases, folder)) as running:
        yield running


def environment_on(engine: str, databases: Databases, folder: Path) -> dict[str, str]:
    """Return the settings of an installation in a folder, on an empty database: none for the embedded default."""
    return {} if engine == "sqlite" else {"GLYPHD_DATABASE_URL": databases.empty(folder)}


@pytest.fixture
def environment(engine: str, databases: Databases, tmp_path: Path) -> dict[str, str]:
    """The settings of the test's own installation."""
    return environment_on(engine, databases, tmp_path)


@pytest.fixture
def start(tmp_path: Path, environment: dict[str, str]) -> Iterator[Callable[..., Server]]:
    """Start a server of the test's own."""
    with ExitStack() as stack:
        yield lambda *arguments, **more: stack.enter_context(serving(tmp_path, *arguments, **environment, **more))


@pytest.fixture
def sample() -> bytes:
    """The project's own sample: 10 records, 8 of them valid."""
    return SAMPLE.read_bytes()
