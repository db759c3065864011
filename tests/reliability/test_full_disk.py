"""A full disk: a clear failure, nothing half-visible, and everything goes on once there is space."""

import pwd
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import event

from glyphd.bootstrap import build_context
from glyphd.domain.imports import Status
from glyphd.errors import NoSpaceLeft
from glyphd.services.browsing import ListingQuery, browse_listings
from glyphd.services.cleaning import clean_next
from glyphd.services.context import Context
from glyphd.services.reporting import report_import
from glyphd.services.running import run_next
from glyphd.services.surveying import survey_models
from glyphd.settings import Settings
from glyphd.store import schema
from tests.engines import only_sqlite
from tests.reliability.batches import Batch
from tests.reliability.dying import later
from tests.reliability.ledger import check_installation, submit
from tools.postgres import PostgresServer, give_to

_SMALL, _BIG = Batch("small", 100), Batch("big", 60_000)


@dataclass(frozen=True)
class _SmallDisk:
    """An installation on a disk of its own, and a file that takes up most of the disk."""

    context: Context
    folder: Path
    ballast_bytes: int

    @property
    def ballast(self) -> Path:
        return self.folder / "ballast"


@pytest.fixture
def mount(tmp_path: Path) -> Iterator[Callable[..., Path]]:
    """Mount a disk of some MB; skip where one may not."""
    folder = tmp_path / "disk"
    folder.mkdir()

    def mount_disk(megabytes: int, options: str = "") -> Path:
        command = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m{options}", "tmpfs", str(folder)]
        mounted = subprocess.run(command, capture_output=True, text=True, check=False)
        if mounted.returncode:
            pytest.skip(f"a small disk cannot be mounted here: {mounted.stderr.strip()}")
        return folder

    yield mount_disk
    subprocess.run(["umount", folder], stderr=subprocess.DEVNULL, check=False)


@pytest.fixture
def small_disk(
    engine: str, mount: Callable[..., Path], request: pytest.FixtureRequest, tmp_path: Path
) -> Iterator[_SmallDisk]:
    """An installation with database and artifacts on a small disk; PostgreSQL's log of changes lies elsewhere."""
    if engine == "sqlite":
        folder = mount(28)
        yield from _installed(f"sqlite:///{folder}/glyphd.sqlite", folder, 16 << 20)
        return
    for parent in (tmp_path, *tmp_path.parents[:2]):
        parent.chmod(0o755)  # the server's user has to come through
    server: PostgresServer = request.getfixturevalue("postgres_server")
    folder = mount(72, f",uid={pwd.getpwnam(server.user).pw_uid}" if server.user else "")
    (folder / "space").mkdir()
    give_to(folder / "space", server.user)
    with psycopg.connect(server.url(), autocommit=True) as admin:
        admin.execute(f"CREATE TABLESPACE small LOCATION '{folder}/space'")
        admin.execute("CREATE DATABASE on_small_disk TABLESPACE small")
        yield from _installed(server.url("on_small_disk"), folder, 52 << 20)
        admin.execute("DROP DATABASE on_small_disk WITH (FORCE)")
        admin.execute("DROP TABLESPACE small")


def _installed(url: str, folder: Path, ballast_bytes: int) -> Iterator[_SmallDisk]:
    context = build_context(Settings(database_url=url, artifacts_url=str(folder / "artifacts")))
    schema.upgrade(context.database.engine)
    yield _SmallDisk(context, folder, ballast_bytes)
    context.database.dispose()


def test_an_import_that_fills_the_disk_fails_and_the_next_one_succeeds(engine: str, small_disk: _SmallDisk) -> None:
    """It is `failed` with `no_space_left`, reads go on, and with space again its rows go and imports are taken."""
    context, ballast = small_disk.context, small_disk.ballast
    ballast.write_bytes(bytes(small_disk.ballast_bytes))
    small, big = submit(context, _SMALL), submit(context, _BIG)
    run_next(context, "worker")
    run_next(context, "worker")
    _check_only_small_shows(context)
    ballast.unlink()
    _go_on(context)
    assert Status.PUBLISHED is report_import(context, small).status
    report = report_import(context, big)
    outcomes = [(Status.FAILED, "no_space_left")]
    if engine == "postgresql":  # there even the failure may not fit: then the import is run again
        outcomes.append((Status.PUBLISHED, None))
    assert (report.status, (report.failure or {}).get("code")) in outcomes
    after = Batch("after", 1_000)
    submit(context, after)
    _go_on(context)
    check_installation(context, [_SMALL, _BIG, after])


def test_a_submission_that_does_not_fit_is_refused_and_leaves_nothing(small_disk: _SmallDisk) -> None:
    """Neither an import nor a file stays of it; with space again the same submission is taken."""
    context, ballast = small_disk.context, small_disk.ballast
    _fill(ballast)
    with pytest.raises(NoSpaceLeft):
        submit(context, _BIG)
    assert [] == list((ballast.parent / "artifacts" / "incoming").glob("*"))
    ballast.unlink()
    submit(context, _SMALL)
    _go_on(context)
    check_installation(context, [_SMALL])


@only_sqlite
def test_a_database_that_may_not_grow_fails_the_import(make_context: Callable[..., Context]) -> None:
    """The same without a disk of its own: SQLite's page limit stands for the disk's end."""
    context = make_context()
    small = submit(context, _SMALL)
    big = submit(context, _BIG)
    run_next(context, "worker")
    context.database.dispose()
    event.listen(context.database.engine, "connect", _stop_growing)
    run_next(context, "worker")
    _check_only_small_shows(context)
    report = report_import(context, big)
    assert (Status.FAILED, "no_space_left") == (report.status, (report.failure or {})["code"])
    assert Status.PUBLISHED is report_import(context, small).status
    _go_on(context)
    check_installation(context, [_SMALL, _BIG])


def _stop_growing(connection: Any, _record: Any) -> None:
    pages = connection.execute("PRAGMA page_count").fetchone()[0]
    connection.execute(f"PRAGMA max_page_count = {pages + 200}")


def _fill(ballast: Path) -> None:
    with ballast.open("wb", buffering=0) as file:
        try:
            while file.write(bytes(1 << 16)):
                pass
        except OSError:
            pass


def _go_on(context: Context) -> None:
    """Do all the work that waits, leases run out."""
    while run_next(later(context), "worker") or clean_next(context):
        pass


def _check_only_small_shows(context: Context) -> None:
    models = {summary.model: summary.listing_count for summary in survey_models(context, limit=1000)}
    assert _SMALL.model_counts == models
    page = browse_listings(context, ListingQuery(), limit=1000)
    assert [row[0] for row in _SMALL.rows] == [row["import_index"] for row in page.items]
