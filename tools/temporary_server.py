"""`glyphd serve` with its workers, over a fresh installation in a folder of its own."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tools.demo import wait_until_ready

START_SECONDS = 120
"""On a machine that does much else besides, a start takes longer than somebody who looks at a demo would wait."""


@contextmanager
def serving(folder: Path, **settings: str) -> Iterator[str]:
    """Migrate and serve, with these settings (`GLYPHD_…`), until the block ends; gives the address of the server."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GLYPHD_")}
    environment = {
        **kept,
        "GLYPHD_DATABASE_URL": f"sqlite:///{folder / 'glyphd.sqlite'}",
        "GLYPHD_ARTIFACTS_URL": str(folder / "artifacts"),
        "GLYPHD_LOG_LEVEL": "ERROR",
        **settings,
    }
    glyphd = [sys.executable, "-m", "glyphd"]
    subprocess.run([*glyphd, "migrate"], env=environment, check=True, stdout=subprocess.DEVNULL)
    port = _free_port()
    server = subprocess.Popen([*glyphd, "serve", "--port", str(port)], env=environment, stdout=subprocess.DEVNULL)
    try:
        base = f"http://127.0.0.1:{port}"
        wait_until_ready(server, base, START_SECONDS)
        yield base
    finally:
        _stop(server)


def _stop(server: subprocess.Popen[bytes]) -> None:
    server.terminate()
    try:
        server.wait(timeout=15)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
