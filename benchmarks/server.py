"""A real `glyphd serve` on a fresh database in a folder of its own, and a client that uploads to it."""

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx

from benchmarks.generate import CACHE
from benchmarks.measure import descendants, peak_memory

SAMPLE = Path(__file__).parents[1] / "sample" / "scored_sample.csv"
START_SECONDS = 60
STOP_SECONDS = 60
POLL_SECONDS = 0.05
PENDING = {"received", "running"}


@dataclass(frozen=True, slots=True)
class Upload:
    """One import as its client saw it: from the first byte sent until the outcome was known."""

    seconds: float
    report: dict[str, Any]


class Server:
    """Runs until the `with` block ends; its folder goes with it."""

    def __init__(self, database_url: str | None = None, import_workers: int = 1) -> None:
        """Choose a free port and a folder on the disk of the repository; nothing runs yet.

        The database is a SQLite file in that folder unless there is a URL.
        """
        CACHE.mkdir(exist_ok=True)
        self.folder = Path(tempfile.mkdtemp(prefix="server-", dir=CACHE))
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        self._database_url = database_url or f"sqlite:///{self.folder / 'glyphd.sqlite'}"
        self._import_workers = import_workers
        self.base = f"http://127.0.0.1:{self.port}"
        self._client = httpx.Client(base_url=self.base, timeout=300)

    def __enter__(self) -> Self:
        """Start and wait until it is ready and has imported a little, so that every process is warm."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith("GLYPHD_")}
        environment["GLYPHD_DATABASE_URL"] = self._database_url
        environment["GLYPHD_ARTIFACTS_URL"] = str(self.folder / "artifacts")
        command = [
            sys.executable,
            "-m",
            "glyphd",
            "serve",
            "--host",
            "127.0.0.1",
            "--port",
            str(self.port),
            "--import-workers",
            str(self._import_workers),
            "--migrate",
        ]
        with (self.folder / "server.log").open("wb") as log:
            self._process = subprocess.Popen(command, env=environment, cwd=self.folder, stdout=log, stderr=log)
        try:
            self._wait_until_ready()
            self.upload(SAMPLE, source="warm-up")
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, at: TracebackType | None) -> None:
        """Stop the server and remove its folder."""
        self.stop()

    def stop(self) -> None:
        """End the server and remove its folder."""
        self._client.close()
        workers = descendants(self._process.pid)
        self._process.terminate()
        try:
            self._process.wait(timeout=STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        deadline = time.monotonic() + STOP_SECONDS
        while any(map(peak_memory, workers)) and time.monotonic() < deadline:
            time.sleep(POLL_SECONDS)
        shutil.rmtree(self.folder)

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self._process.poll() is None:
            with contextlib.suppress(httpx.TransportError):
                if self._client.get("/readyz").is_success:
                    return
            time.sleep(POLL_SECONDS)
        raise RuntimeError(f"the server did not become ready:\n{(self.folder / 'server.log').read_text()[-2000:]}")

    def upload(self, file: Path, source: str = "bench", **options: str) -> Upload:
        """Import a file as `curl -F file=@…` does, and wait for its outcome, past the 202 of a long import too."""
        start = time.perf_counter()
        with file.open("rb") as opened:
            answer = self._client.post(
                "/api/import", data={"source": source, **options}, files={"file": (file.name, opened)}
            )
        if "import_id" not in answer.json():
            raise RuntimeError(f"{answer.status_code}: {answer.text[:2000]}")
        answered = time.perf_counter()
        report = self._report(answer.json()["import_id"])
        while report["status"] in PENDING:
            time.sleep(POLL_SECONDS)
            answered = time.perf_counter()
            report = self._report(report["import_id"])
        return Upload(answered - start, report)

    def change(self, import_id: str, verb: str) -> None:
        """Ask for a change of an import's state. Raises HTTPStatusError when it is refused."""
        self._client.post(f"/api/imports/{import_id}/{verb}").raise_for_status()

    def get(self, path: str, **params: Any) -> Any:
        """Return the JSON of an answer."""
        return self._client.get(path, params=params).raise_for_status().json()

    def _report(self, import_id: str) -> dict[str, Any]:
        found: dict[str, Any] = self._client.get(f"/api/imports/{import_id}").raise_for_status().json()
        return found

    def peak_memory(self) -> tuple[int, int]:
        """Return the largest resident memory so far of any importing process, and of the server itself, in bytes."""
        below = descendants(self._process.pid)
        return max((peak_memory(pid) for pid in below), default=0), peak_memory(self._process.pid)
