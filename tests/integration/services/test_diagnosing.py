"""A diagnosis: every fault is made for real, and found, and the others are still looked for."""

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from glyphd.artifacts.folder import STALE_SECONDS
from glyphd.domain.findings import Check, Finding, Level
from glyphd.services.checks.disks import LITTLE_SPACE, NO_SPACE
from glyphd.services.context import Context
from glyphd.services.diagnosing import diagnose
from glyphd.services.migrating import migrate_to
from glyphd.store.schema import HEAD
from tests.engines import only_postgresql

_OK, _WARNING, _PROBLEM = Level.OK, Level.WARNING, Level.PROBLEM
_NEED_THE_SCHEMA = [Check.ARTIFACTS, Check.LEASES, Check.CLOCK]


def _of(check: Check, findings: list[Finding]) -> list[tuple[Level, str]]:
    return [(finding.level, finding.found) for finding in findings if finding.check is check]


def _bad(findings: list[Finding]) -> list[tuple[Check, Level]]:
    """Return what is not ok, but for the disk and the server's settings: what tests run on is not theirs."""
    own = [finding for finding in findings if finding.check is not Check.DISK and "is off" not in finding.found]
    return [(finding.check, finding.level) for finding in own if finding.level is not _OK]


def _without_advice(findings: list[Finding]) -> list[Finding]:
    return [finding for finding in findings if (finding.level is _OK) is not (finding.advice is None)]


def test_a_sound_installation(context: Context, publish: Callable[..., str], make_lines: Callable[..., str]) -> None:
    """Everything is looked at, nothing is wrong, and nothing is left behind."""
    publish(make_lines(1, 2, 0))
    found = diagnose(context)
    assert [] == _bad(found) + _without_advice(found)
    assert list(Check) == list(dict.fromkeys(finding.check for finding in found))
    assert [(_OK, f"The database is at schema revision {HEAD}, the newest.")] == _of(Check.SCHEMA, found)
    assert [(_OK, "Imports that wait: 0, that run: 0, whose rows have to go: 0.")] == _of(Check.LEASES, found)
    assert (_OK, "The ledger's artifacts are all there: 1, with 205 B.") == _of(Check.ARTIFACTS, found)[1]
    assert [] == list((context.artifacts.location / "incoming").iterdir())


@only_postgresql
def test_a_server_that_may_forget(context: Context) -> None:
    """The server that tests run on is set so: it is fast, and would lose what it promised when the power goes."""
    if os.environ.get("GLYPHD_TEST_POSTGRES_URL"):
        pytest.skip("how the server of GLYPHD_TEST_POSTGRES_URL is set is not known")
    found = _of(Check.INTEGRITY, diagnose(context))
    lost = "is off: what was acknowledged may not survive when the server's machine loses power."
    assert [(_WARNING, f"{name} {lost}") for name in ("fsync", "full_page_writes")] == found


def test_an_empty_ledger(context: Context) -> None:
    """It names no artifact, and nothing waits."""
    assert [] == _bad(diagnose(context))


# -- the schema -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("revision", "said"),
    [
        ("base", "The database has not been migrated."),
        ("0008", f"The database is at schema revision 0008 and lacks 5 revisions up to {HEAD}."),
        ("0009", f"The database is at schema revision 0009 and lacks 4 revisions up to {HEAD}."),
    ],
)
def test_a_database_that_is_not_migrated(context: Context, revision: str, said: str) -> None:
    """Nothing is asked of a ledger that has another shape; all else is looked at."""
    migrate_to(context, revision)
    found = diagnose(context)
    assert [(_PROBLEM, said)] == _of(Check.SCHEMA, found)
    assert [(Check.SCHEMA, _PROBLEM), *[(check, _WARNING) for check in _NEED_THE_SCHEMA]] == _bad(found)
    assert ["Run `glyphd migrate`, or `glyphd serve --migrate`."] == [f.advice for f in found if f.level is _PROBLEM]
    assert [] == _without_advice(found)


def test_a_database_of_a_newer_glyphd(context: Context, execute: Callable[..., list[Any]]) -> None:
    """It is not to be migrated."""
    execute("UPDATE alembic_version SET version_num = '9999'")
    found = [finding for finding in diagnose(context) if finding.check is Check.SCHEMA]
    said = f"The database is at schema revision 9999, which this glyphd (up to {HEAD}) does not know."
    assert [Finding(Check.SCHEMA, _PROBLEM, said, "Upgrade glyphd.")] == found


# -- the artifact store -----------------------------------------------------------------------------------------------


class _Batches(NamedTuple):
    ids: list[str]
    artifacts: list[Path]


@pytest.fixture
def batches(context: Context, publish: Callable[..., str], make_lines: Callable[..., str]) -> _Batches:
    """Four published batches and their artifacts, in the order of their digests."""
    ids = [publish(make_lines(price)) for price in range(1, 5)]
    files = [path for path in context.artifacts.location.glob("??/*") if path.is_file()]
    return _Batches(ids, sorted(files, key=lambda path: path.name))


def test_artifacts_that_are_missing(context: Context, batches: _Batches) -> None:
    """They are counted, and the first ones named."""
    folder, names = context.artifacts.location, [file.name for file in batches.artifacts]
    batches.artifacts[1].unlink()
    one = _of(Check.ARTIFACTS, diagnose(context))[1:]
    for file in batches.artifacts:
        file.unlink(missing_ok=True)
    all_of_them = _of(Check.ARTIFACTS, diagnose(context))[1:]
    said = "Of the ledger's artifacts, {} are missing from {}: {}."
    assert [(_PROBLEM, said.format("1 of 4", folder, names[1]))] == one
    assert [(_PROBLEM, said.format("4 of 4", folder, ", ".join([*names[:3], "…"])))] == all_of_them


def test_artifacts_of_another_size(context: Context, batches: _Batches) -> None:
    """Beside one that is missing."""
    whole = batches.artifacts[0].stat().st_size
    batches.artifacts[0].write_bytes(b"cut")
    batches.artifacts[1].unlink()
    _, missing, changed = _of(Check.ARTIFACTS, diagnose(context))
    name, folder = batches.artifacts[0].name, context.artifacts.location
    said = f"Of the ledger's artifacts, 1 of 4 have another size in {folder}: {name} (3 bytes, not {whole})."
    assert (_PROBLEM, (_PROBLEM, said)) == (missing[0], changed)


@pytest.mark.parametrize("number", [999, 1_000, 2_001])
def test_more_artifacts_than_a_page_holds(context: Context, execute: Callable[..., list[Any]], number: int) -> None:
    """Each is looked for once."""
    counting = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :number)"
    row = "INSERT INTO artifacts (sha256, bytes, stored_at) SELECT 'a' || i, 1, CURRENT_TIMESTAMP FROM n"
    execute(f"{counting} {row}", number=number)
    _, (_, said) = _of(Check.ARTIFACTS, diagnose(context))
    assert f"{number} of {number} are missing" in said


def test_an_artifact_folder_that_cannot_be_written(make_context: Callable[..., Context], tmp_path: Path) -> None:
    """A file is in its place: its clock cannot be told, and what the ledger names is not there."""
    (tmp_path / "taken").write_text("")
    found = diagnose(make_context(artifacts_url=str(tmp_path / "taken" / "artifacts")))
    assert [(Check.ARTIFACTS, _PROBLEM), (Check.CLOCK, _WARNING)] == _bad(found)
    assert [Check.DISK] == [finding.check for finding in found if str(tmp_path) in finding.found][-1:]
    said = "The clock of the artifact folder's disk could not be checked, since the artifact store cannot be written."
    assert (_WARNING, said) == _of(Check.CLOCK, found)[0]


def test_leftovers_of_dead_servers_and_workers(context: Context) -> None:
    """Those that a worker would remove when it starts, and no younger ones."""
    old = time.time() - STALE_SECONDS - 60
    for kind, age in (("incoming/old", old), ("incoming/young", None), ("scratch/old", old)):
        leftover = context.artifacts.location / kind
        leftover.parent.mkdir(parents=True, exist_ok=True)
        leftover.write_bytes(b"half of it")
        os.utime(leftover, None if age is None else (age, age))
    said = f"Uploads and runs that ended over a day ago left 2 of their files in {context.artifacts.location}."
    assert (_WARNING, said) == _of(Check.ARTIFACTS, diagnose(context))[1]
    context.artifacts.remove_stale()
    assert [] == _bad(diagnose(context))


# -- the disks --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("free", "level"),
    [(LITTLE_SPACE, _OK), (LITTLE_SPACE - 1, _WARNING), (NO_SPACE, _WARNING), (NO_SPACE - 1, _PROBLEM)],
)
def test_little_space(context: Context, monkeypatch: pytest.MonkeyPatch, free: int, level: Level) -> None:
    """A warning in time, a problem when a crawl of a million rows may not fit any more."""
    usage = shutil.disk_usage(context.artifacts.location.parent)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(total=1 << 40, free=free))
    assert {level} == {found for found, _ in _of(Check.DISK, diagnose(context))}


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 1 MiB."""
    folder = tmp_path / "small"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)]
    mounted = subprocess.run(command, capture_output=True, text=True, check=False)
    if mounted.returncode:
        pytest.skip(f"a small disk cannot be mounted here: {mounted.stderr.strip()}")
    yield folder
    subprocess.run(["umount", folder], check=True)


def test_a_disk_that_is_small(make_context: Callable[..., Context], small_disk: Path) -> None:
    """A real one, of the artifacts alone, whose folder nobody has made yet."""
    found = diagnose(make_context(artifacts_url=str(small_disk / "not" / "yet")))
    said = f"The disk of the artifacts has 1.0 MiB of 1.0 MiB free ({small_disk / 'not' / 'yet'})."
    assert (_PROBLEM, said) == _of(Check.DISK, found)[-1]


def test_a_disk_that_is_full(make_context: Callable[..., Context], small_disk: Path) -> None:
    """What to do about an artifact store that cannot be written is another thing then."""
    (small_disk / "ballast").write_bytes(bytes(1 << 20))
    found = diagnose(make_context(artifacts_url=str(small_disk)))
    full = Finding(Check.ARTIFACTS, _PROBLEM, "The artifact store is full.", "Make room on its disk.")
    assert full == next(finding for finding in found if finding.check is Check.ARTIFACTS)
