"""A diagnosis of a SQLite file, and only of one: gone, no database, damaged, in another journal mode, not writable."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from glyphd.domain.findings import RESTORE, Check, Finding, Level
from glyphd.services.context import Context
from glyphd.services.diagnosing import diagnose
from glyphd.settings import Settings
from tests.engines import only_sqlite

pytestmark = only_sqlite

_AWAY = "{} could not be checked, since the database cannot be used."
_PAGE_BYTES = 4096


@pytest.fixture
def file(make_settings: Callable[..., Settings]) -> Path:
    """A migrated SQLite file in a folder of its own."""
    return Path(make_settings().database_url.removeprefix("sqlite:///"))


@pytest.fixture
def context(make_context: Callable[..., Context]) -> Context:
    """A context over that file."""
    return make_context()


def _bad(context: Context) -> list[Finding]:
    return [found for found in diagnose(context) if found.level is not Level.OK and found.check is not Check.DISK]


def _check_away(found: list[Finding], said: str) -> None:
    """Assert that the database is the one problem, and that each check that needs it says that it was not made."""
    assert [(Check.DATABASE, Level.PROBLEM, said)] == [(f.check, f.level, f.found) for f in found[:1]]
    subjects = [
        "Writing to the database",
        "The database's integrity",
        "The schema revision",
        "What the ledger says of artifacts",
        "What runs and what waits",
        "The database's clock",
        "What the ledger says of times",
    ]
    assert [_AWAY.format(subject) for subject in subjects] == [finding.found for finding in found[1:]]
    assert {Level.WARNING} == {finding.level for finding in found[1:]}


def test_a_file_that_is_not_there(context: Context, file: Path) -> None:
    """It is not made either."""
    file.unlink()
    _check_away(_bad(context), f"There is no database at {file}.")
    assert [] == list(file.parent.glob("glyphd.sqlite*"))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"canonical_model,price\n" * 1_000, "The database answered: file is not a database."),
        (None, "The database answered: unable to open database file."),
    ],
)
def test_a_file_that_is_no_database(context: Context, file: Path, content: bytes | None, said: str) -> None:
    """Something else is in its place: a text, a folder."""
    file.unlink()
    if content is None:
        file.mkdir()
    else:
        file.write_bytes(content)
    _check_away(_bad(context), said)


def test_a_file_that_is_damaged(context: Context, file: Path) -> None:
    """One page of it holds other bytes; what does not need that page is checked all the same."""
    with closing(sqlite3.connect(file)) as connection:
        page = connection.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'import_events'").fetchone()[0]
    with file.open("r+b") as opened:
        opened.seek((page - 1) * _PAGE_BYTES)
        opened.write(b"\xff" * _PAGE_BYTES)
    (found,) = _bad(context)
    assert (Check.INTEGRITY, Level.PROBLEM, RESTORE) == (found.check, found.level, found.advice)
    assert found.found.startswith("The database is damaged: ")


def test_another_journal_mode(context: Context) -> None:
    """As on a file system on which WAL does not work."""

    def leave_wal(connection: Any, _record: Any) -> None:
        connection.execute("PRAGMA journal_mode = DELETE")

    event.listen(context.database.engine, "connect", leave_wal)
    (found,) = _bad(context)
    said = "The journal mode of the database is delete, not WAL: reading and writing keep each other out."
    assert (Check.INTEGRITY, Level.WARNING, said) == (found.check, found.level, found.found)


def test_a_file_that_cannot_be_written(context: Context, file: Path) -> None:
    """Writers cannot take turns; what only reads is checked all the same."""
    file.with_name("glyphd.sqlite-turnstile").mkdir()
    (found,) = _bad(context)
    said = "glyphd.sqlite-turnstile cannot be opened: Is a directory."
    assert (Check.DATABASE, Level.PROBLEM, said) == (found.check, found.level, found.found)


def test_a_folder_that_may_not_be_looked_into(context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the operating system refuses is a finding, not a crash."""
    exists = Path.exists

    def refuse(path: Path, **options: Any) -> bool:
        if path.name == "artifacts":
            raise PermissionError(13, "Permission denied", str(path))
        return exists(path, **options)

    monkeypatch.setattr(Path, "exists", refuse)
    said = [found.found for found in diagnose(context) if found.check is Check.DISK]
    assert 1 == len(said)
    assert said[0].startswith("The disks could not be checked: [Errno 13] Permission denied")
