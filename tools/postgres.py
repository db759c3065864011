"""A PostgreSQL server of one's own: found or installed, started as an unprivileged user, gone at the end.

    python -m tools.postgres install    install Debian's server and pgbouncer where they are missing and one may
    python -m tools.postgres run        run a throwaway server until Ctrl-C and print its URL

For tests and benchmarks. `initdb` and `postgres` refuse to run as root, which every CI container is: then they run as
the user `postgres` that Debian's package makes. (`pytest-postgresql` starts its server as the user who runs the tests.)
"""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

PACKAGES = {"postgres": "postgresql", "pgbouncer": "pgbouncer"}
OLDEST = 15
START_SECONDS = 60

FAST = {"fsync": "off", "synchronous_commit": "on", "full_page_writes": "off"}
"""For tests: what they lose when the machine dies, they can make again. Killed processes lose nothing."""

SAFE = {
    "shared_buffers": "1GB",
    "max_wal_size": "8GB",
    "wal_buffers": "64MB",
    "wal_writer_flush_after": "16MB",
}
"""For benchmarks: what is committed survives a power loss; as docs/how-to/run-on-postgresql.md recommends."""


class PostgresMissingError(Exception):
    """There is no PostgreSQL server on this machine, and none could be installed."""


def find_program(name: str) -> Path | None:
    """Return a server program: of the newest PostgreSQL that Debian has installed, else on the PATH."""
    installed = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda path: float(path.parts[-3]))
    if installed and float(installed[-1].parts[-3]) >= OLDEST:
        return installed[-1]
    found = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    return Path(found) if found else None


def unprivileged_user() -> str | None:
    """Return as whom a server has to be started; None is oneself."""
    if os.geteuid() != 0:
        return None
    try:
        return pwd.getpwnam("postgres").pw_name
    except KeyError:
        return "nobody"


def install() -> list[str]:
    """Install what is missing with apt-get, if one may; return what is missing still, in sentences."""
    missing = [package for program, package in PACKAGES.items() if find_program(program) is None]
    if missing and os.geteuid() == 0 and shutil.which("apt-get"):
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        for command in (["update", "-qq"], ["install", "-y", "-qq", "--no-install-recommends", *missing]):
            subprocess.run(
                ["apt-get", *command], env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=False
            )
    return [
        f"{package} is not installed (Debian: apt-get install {package})"
        for program, package in PACKAGES.items()
        if find_program(program) is None
    ]


class PostgresServer:
    """One server on a free port of 127.0.0.1, with its files in a folder of its own; a context manager."""

    def __init__(self, options: Mapping[str, str] = FAST, *, port: int | None = None) -> None:
        """Choose port and folder; nothing runs yet. Raises PostgresMissingError."""
        if find_program("initdb") is None or find_program("postgres") is None:
            raise PostgresMissingError("PostgreSQL's server is not installed (Debian: apt-get install postgresql)")
        self.port = port or free_port()
        self.user = unprivileged_user()
        self._options = {
            **options,
            "listen_addresses": "127.0.0.1",
            "port": str(self.port),
            "unix_socket_directories": "",
            "max_connections": "200",
        }
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        """Make a cluster and start the server."""
        self.folder = Path(tempfile.mkdtemp(prefix="glyphd-postgres-"))
        give_to(self.folder, self.user)
        command = [str(find_program("initdb")), "--pgdata", str(self.data), "--username", "glyphd", "--auth", "trust"]
        command += ["--encoding", "UTF8", "--locale", "C.UTF-8", "--no-sync"]
        command += ["--locale-provider", "icu", "--icu-locale", "en-US"]  # an order that is not ours, so that it shows
        made = subprocess.run(command, cwd=self.folder, user=self.user, capture_output=True, text=True, check=False)
        if made.returncode:
            raise PostgresMissingError(f"initdb failed: {made.stderr.strip()}")
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, at: TracebackType | None) -> None:
        """Stop the server and remove its files."""
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def data(self) -> Path:
        """The cluster."""
        return self.folder / "data"

    @property
    def log(self) -> Path:
        """What the server says."""
        return self.folder / "server.log"

    def url(self, database: str = "postgres") -> str:
        """Return the URL of a database."""
        return f"postgresql://glyphd@127.0.0.1:{self.port}/{database}"

    def start(self) -> None:
        """Start the server and wait until it takes connections."""
        command = [str(find_program("postgres")), "-D", str(self.data)]
        command += [word for name, value in self._options.items() for word in ("-c", f"{name}={value}")]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                command, cwd=self.folder, user=self.user, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        deadline = time.monotonic() + START_SECONDS
        while not self._is_ready():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise PostgresMissingError(f"the server did not start: {self.log.read_text()[-2000:]}")
            time.sleep(0.02)

    def stop(self, *, crash: bool = False) -> None:
        """End the server and cut every connection; a crash must be recovered from at the next start."""
        if self._process is not None:
            self._process.send_signal(signal.SIGQUIT if crash else signal.SIGINT)
            self._process.wait(START_SECONDS)
            self._process = None

    def _is_ready(self) -> bool:
        command = [str(find_program("pg_isready")), "-q", "-h", "127.0.0.1", "-p", str(self.port)]
        return subprocess.run(command, check=False).returncode == 0


def give_to(path: Path, user: str | None) -> None:
    """Make a file or folder a user's own."""
    if user is not None:
        entry = pwd.getpwnam(user)
        os.chown(path, entry.pw_uid, entry.pw_gid)


def free_port() -> int:
    """Return a port of 127.0.0.1 that nobody listens on."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])


def main() -> None:
    """Do what the command line says."""
    if sys.argv[1:] == ["install"]:
        for sentence in install():
            print(f"without PostgreSQL: {sentence}; the tests of that engine will not run", file=sys.stderr)
    elif sys.argv[1:] == ["run"]:
        with PostgresServer() as server:
            print(server.url(), flush=True)
            signal.sigwait([signal.SIGINT, signal.SIGTERM])
    else:
        raise SystemExit(__doc__)


if __name__ == "__main__":
    main()
