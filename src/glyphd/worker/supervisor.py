"""Keeps worker processes alive beside a server, and frees the imports of those that died at once."""

import json
import os
import subprocess
import sys
import threading
import time

import structlog

from glyphd.errors import GlyphdError
from glyphd.services.context import Context
from glyphd.settings import Settings
from glyphd.store import imports
from glyphd.worker.loop import worker_name

DRAIN_SECONDS = 15
NICENESS = 10
"""Beside a server its requests come first; an import takes what is left of the cores."""

_LONGEST_PAUSE = 5.0
_HEALTHY_SECONDS = 10.0

_log = structlog.get_logger()


class WorkerSupervisor:
    """Runs a number of `glyphd worker` processes; a dead one is replaced."""

    def __init__(
        self,
        context: Context,
        settings: Settings,
        *,
        drain_seconds: float | None = DRAIN_SECONDS,
        niceness: int = 0,
    ) -> None:
        """Keep what the workers are started with; nothing runs before :meth:`start`.

        ``drain_seconds``: how long an import that has begun may take once everything is to stop; None is for ever.
        """
        self._context = context
        self._drain_seconds = drain_seconds
        self._options = ["--beside", str(os.getpid()), "--niceness", str(niceness)]
        self._environment = {**os.environ, **environment_of(settings)}
        self._stopping = threading.Event()
        self._threads: list[threading.Thread] = []

    def start(self, workers: int) -> None:
        """Start the workers."""
        for _ in range(workers):
            thread = threading.Thread(target=self._keep_one, daemon=True)
            thread.start()
            self._threads.append(thread)

    def stop(self) -> None:
        """Ask the workers to finish what they run, and end those that take too long: their imports are taken over."""
        self._stopping.set()
        for thread in self._threads:
            thread.join()

    def _keep_one(self) -> None:
        pause = 0.1
        while not self._stopping.is_set():
            name, started = worker_name(), time.monotonic()
            with subprocess.Popen(  # noqa: S603 - our own interpreter and module, no input
                [sys.executable, "-m", "glyphd", "worker", "--name", name, *self._options],
                env=self._environment,
                stdin=subprocess.DEVNULL,
            ) as process:
                code = self._watch(process)
            self._free(name)
            if not self._stopping.is_set():
                _log.error("worker.died", worker=name, code=code)
                pause = 0.1 if time.monotonic() - started > _HEALTHY_SECONDS else min(pause * 2, _LONGEST_PAUSE)
                self._stopping.wait(pause)

    def _watch(self, process: subprocess.Popen[bytes]) -> int | None:
        while process.poll() is None:
            if self._stopping.wait(0.02):
                process.terminate()
                try:
                    process.wait(self._drain_seconds)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()
        return process.returncode

    def _free(self, name: str) -> None:
        try:
            with self._context.database.writing() as work:
                imports.release_leases(work.connection, name, on_purpose=self._stopping.is_set())
                work.commit()
        except GlyphdError as exc:  # the leases run out by themselves
            _log.warning("worker.leases_not_freed", worker=name, code=exc.code)


def environment_of(settings: Settings) -> dict[str, str]:
    """Return the environment variables under which another process has the same settings."""
    values = settings.model_dump(mode="json", exclude={"db_path"}, exclude_none=True)
    if settings.api_token:
        values["api_token"] = settings.api_token.get_secret_value()
    return {
        f"GLYPHD_{name.upper()}": value if isinstance(value, str) else json.dumps(value)
        for name, value in values.items()
    }
