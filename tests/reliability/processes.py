"""Real processes over one installation: servers and workers that can be killed at any moment.

They are forked from one process that has imported glyphd already: 30 ms a start instead of 2 s, so that dozens of
rounds fit into a test. What runs in them is the command line itself.
"""

import json
import multiprocessing
import os
import signal
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import httpx

from glyphd.cli.main import app
from glyphd.services.context import Context
from glyphd.settings import Settings
from glyphd.worker.supervisor import environment_of

_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(["glyphd.cli.server", "glyphd.cli.worker", "glyphd.cli.importing", "glyphd.console.app"])


def fork(target: Callable[..., None], *arguments: Any) -> BaseProcess:
    """Start a function of a test module in a process of its own."""
    process = _FORKS.Process(target=target, args=arguments)
    process.start()
    return process


def wait_until(holds: Callable[[], bool], seconds: float = 60, every: float = 0.02) -> None:
    """Wait until something holds; fail the test when it does not in time."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"not within {seconds:.0f} s: {holds}"
        time.sleep(every)


def children_of(pid: int) -> list[int]:
    """Return the processes that a process has started."""
    found = []
    with suppress(FileNotFoundError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            found += [int(child) for child in (task / "children").read_text().split()]
    return found


def is_alive(pid: int) -> bool:
    """Tell whether a process runs; one that is dead and not yet waited for does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


class Installation:
    """One database with its artifacts, and the processes started over it."""

    def __init__(self, settings: Settings, context: Context, folder: Path) -> None:
        self.settings = settings
        self.context = context
        self.folder = folder
        self._processes: list[BaseProcess] = []

    def start_worker(self) -> BaseProcess:
        """Start `glyphd worker`."""
        return self.start(["worker"])

    def start_server(self, *, port: int | None = None, import_workers: int = 0) -> "Server":
        """Start `glyphd serve` and wait until it answers."""
        port = port or _free_port()
        process = self.start(["serve", "--port", str(port), "--import-workers", str(import_workers)])
        server = Server(process, port)
        server.wait()
        return server

    def stop(self) -> None:
        """Kill what still runs."""
        for process in self._processes:
            orphans = children_of(process.pid or 0)
            kill(process)
            for orphan in orphans:
                with suppress(ProcessLookupError):
                    os.kill(orphan, signal.SIGKILL)
            process.close()

    def events(self) -> list[str]:
        """Return the names of the events that all processes have logged, a name for each time."""
        lines = "".join(path.read_text() for path in sorted(self.folder.glob("*.log"))).splitlines()
        return [json.loads(line)["event"] for line in lines if line.startswith("{")]

    def start(self, arguments: list[str]) -> BaseProcess:
        """Start any command."""
        log = self.folder / f"{arguments[0]}-{len(self._processes)}.log"
        process = fork(run_command, arguments, environment_of(self.settings), str(log))
        self._processes.append(process)
        return process


class Server:
    """A server and a client for it."""

    def __init__(self, process: BaseProcess, port: int) -> None:
        self.process = process
        self.port = port
        self.url = f"http://127.0.0.1:{port}"

    def wait(self) -> None:
        """Wait until it answers."""
        wait_until(self._answers, 30)

    def _answers(self) -> bool:
        assert self.process.is_alive(), "the server did not start"
        try:
            return httpx.get(f"{self.url}/livez", timeout=5).is_success
        except httpx.TransportError:
            return False


def kill(process: BaseProcess) -> None:
    """End a process as `kill -9` does, and wait until it is gone."""
    process.kill()
    process.join()


def run_command(arguments: list[str], environment: dict[str, str], log: str) -> None:
    """Be `glyphd` with these arguments; what it says goes to a file."""
    os.environ.update(environment)
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    app(arguments)


def _free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])
