"""A server from its first start to its end."""

import json
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from sqlalchemy import text

from glyphd.services.context import Context
from tests.acceptance.conftest import SAMPLE, Server, run_glyphd


def test_the_loop_of_the_readme(tmp_path: Path, start: Callable[..., Server], environment: dict[str, str]) -> None:
    """To the letter: migrate, serve, POST the sample with curl, ask for its listings by import_id."""
    migrated = run_glyphd(tmp_path, "migrate", **environment)
    base = str(start("--host", "0.0.0.0").client.base_url).replace("0.0.0.0", "localhost")  # noqa: S104
    if not shutil.which("curl"):
        pytest.skip("curl is not installed")

    posted = subprocess.run(
        ["curl", "-sS", "-X", "POST", f"{base}/api/import", "-F", f"file=@{SAMPLE}"],
        capture_output=True,
        check=True,
    )
    report = json.loads(posted.stdout)
    listings = subprocess.run(
        ["curl", "-sS", f"{base}/api/listings?import_id={report['import_id']}"], capture_output=True, check=True
    )

    assert (0, "") == (migrated.returncode, migrated.stderr)
    assert ("published", 10, 8, 2) == tuple(report[name] for name in ("status", "received", "count", "rejected"))
    assert [(report["import_id"], index) for index in range(1, 9)] == [
        (listing["import_id"], listing["import_index"]) for listing in json.loads(listings.stdout)
    ]
    assert (tmp_path / "data" / "glyphd.sqlite").exists() is not bool(environment)
    assert (tmp_path / "data" / "artifacts").is_dir()


def test_an_unmigrated_database_is_refused(tmp_path: Path, environment: dict[str, str]) -> None:
    """One clear sentence that says what to do, exit code 1, nothing on standard output."""
    ran = run_glyphd(tmp_path, "serve", "--port", "0", **environment)

    assert (1, "", 1) == (ran.returncode, ran.stdout, len(ran.stderr.splitlines()))
    assert "run `glyphd migrate`, or `glyphd serve --migrate`" in ran.stderr


def test_a_newer_database_is_refused(tmp_path: Path, context: Context) -> None:
    """One clear sentence, exit code 1, and the database stays as it was, even if told to migrate."""
    database = context.database
    with database.writing() as work:
        work.connection.execute(text("UPDATE alembic_version SET version_num = '0999'"))
        work.commit()
    database.dispose()
    url = database.url.render_as_string(hide_password=False)

    ran = run_glyphd(tmp_path, "serve", "--port", "0", "--migrate", GLYPHD_DATABASE_URL=url)

    assert (1, "", 1) == (ran.returncode, ran.stdout, len(ran.stderr.splitlines()))
    assert "0999" in ran.stderr
    with database.reading() as connection:
        assert "0999" == connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one()


def test_a_port_that_is_taken_is_refused(server: Server, tmp_path: Path) -> None:
    """One clear sentence, exit code 1."""
    ran = run_glyphd(tmp_path, "serve", "--migrate", "--port", str(server.client.base_url.port))

    migrated, refused = ran.stderr.splitlines()
    assert (1, "schema.migrated") == (ran.returncode, json.loads(migrated)["event"])
    assert "Address already in use" in refused


def processes_of(parent: int) -> set[int]:
    """Return the ids of a process's children, and of theirs."""
    found = subprocess.run(["ps", "-eo", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
    children: dict[int, set[int]] = {}
    for line in found.splitlines():
        pid, of = map(int, line.split())
        children.setdefault(of, set()).add(pid)
    waiting, below = [parent], set()
    while waiting:
        new = children.get(waiting.pop(), set())
        below |= new
        waiting += new
    return below


def left_of(running: set[int], seconds: float = 10) -> set[int]:
    """Return which processes are still there; Python's own resource tracker ends a moment after its parent."""
    deadline = time.monotonic() + seconds
    left = running
    while left and time.monotonic() < deadline:
        left = {pid for pid in left if Path(f"/proc/{pid}").exists() and not is_zombie(pid)}
        time.sleep(0.05)
    return left


@pytest.mark.parametrize(("workers", "how"), [("1", signal.SIGINT), ("2", signal.SIGTERM)])
def test_a_signal_ends_the_server_and_its_workers(
    start: Callable[..., Server], sample: bytes, workers: str, how: signal.Signals
) -> None:
    """`serve --migrate --workers N` imports and answers without delay; told to stop, all its processes end, with 0."""
    server = start("--migrate", "--workers", workers)
    answer = server.client.post("/api/import", content=sample, headers={"Content-Type": "text/csv"})
    reads = [server.client.get("/api/listings") for _ in range(20)]
    running = processes_of(server.process.pid)

    server.process.send_signal(how)
    code = server.process.wait(20)

    assert (201, 0) == (answer.status_code, code)
    assert len(running) >= (1 if workers == "1" else 3)
    assert set() == left_of(running)
    assert [8] * 20 == [len(read.json()) for read in reads]
    assert min(read.elapsed.total_seconds() for read in reads) < 0.04, "what each takes where TCP_NODELAY is not set"
    assert "worker.stopped" in {line["event"] for line in server.logged()}


def is_zombie(pid: int) -> bool:
    """Tell whether a process has ended and only waits to be collected."""
    return " Z " in Path(f"/proc/{pid}/stat").read_text()


def test_health_is_answered(server: Server) -> None:
    """The three of them."""
    assert [200, 200, 200] == [server.client.get(path).status_code for path in ("/api/health", "/livez", "/readyz")]
    assert isinstance(server.client, httpx.Client)
