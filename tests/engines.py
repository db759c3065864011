"""The database engines that tests run on: a fresh, migrated database for each test, copied from one made once."""

import os
import shutil
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest

from glyphd.bootstrap import build_context
from glyphd.settings import Settings
from glyphd.store import schema
from tools.postgres import PostgresMissingError, PostgresServer

ENGINES = ("sqlite", "postgresql")

WANTING = "not tested for want of a server"

only_sqlite = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
"""For what is about SQLite itself: its files, its locks, its pragmas."""

only_postgresql = pytest.mark.parametrize("engine", ["postgresql"], indirect=True)
"""For what is about PostgreSQL itself: its connections, its sessions, its server."""


class Databases(ABC):
    """Makes databases of one engine; ``folder`` is where the installation that a database belongs to has its files."""

    @abstractmethod
    def empty(self, folder: Path) -> str:
        """Make a database without tables and return its URL."""

    @abstractmethod
    def migrated(self, folder: Path) -> str:
        """Make a database at the newest revision and return its URL."""

    @abstractmethod
    def clone(self, url: str, folder: Path) -> str:
        """Copy a database that nobody is connected to and return the URL of the copy."""

    @abstractmethod
    def spoil(self, url: str) -> None:
        """Make a database unusable for whoever is connected to it."""

    def made(self) -> int:
        """Return how many databases there are."""
        return 0

    def remove_from(self, number: int) -> None:  # noqa: B027 - files go with the folder of their test
        """Remove the databases that were made when there were so many."""


class SqliteDatabases(Databases):
    """Files."""

    def __init__(self, template: Path) -> None:
        self._template = template
        _migrate(f"sqlite:///{template}")

    def empty(self, folder: Path) -> str:
        folder.mkdir(parents=True, exist_ok=True)
        return f"sqlite:///{folder / 'glyphd.sqlite'}"

    def migrated(self, folder: Path) -> str:
        url = self.empty(folder)
        shutil.copy(self._template, folder / "glyphd.sqlite")
        return url

    def clone(self, url: str, folder: Path) -> str:
        copy = self.empty(folder)
        shutil.copy(url.removeprefix("sqlite:///"), folder / "glyphd.sqlite")
        return copy

    def spoil(self, url: str) -> None:
        with Path(url.removeprefix("sqlite:///")).open("r+b") as file:
            file.write(b"not a database any more" * 300)


class PostgresDatabases(Databases):
    """Databases of one server; the first one, migrated, is what the others are copied from."""

    def __init__(self, server_url: str) -> None:
        self._base = server_url.rsplit("/", 1)[0]
        self._admin = psycopg.connect(server_url, autocommit=True)
        self._made: list[str] = []
        self._template = self._create("template0")
        self._made.clear()
        _migrate(f"{self._base}/{self._template}")

    def empty(self, folder: Path) -> str:
        return f"{self._base}/{self._create('template0')}"

    def migrated(self, folder: Path) -> str:
        return f"{self._base}/{self._create(self._template)}"

    def clone(self, url: str, folder: Path) -> str:
        return f"{self._base}/{self._create(url.rsplit('/', 1)[1])}"

    def spoil(self, url: str) -> None:
        self._admin.execute(f'DROP DATABASE "{url.rsplit("/", 1)[1]}" WITH (FORCE)')

    def made(self) -> int:
        return len(self._made)

    def remove_from(self, number: int) -> None:
        while len(self._made) > number:
            self._admin.execute(f'DROP DATABASE IF EXISTS "{self._made.pop()}" WITH (FORCE)')

    def close(self) -> None:
        """Remove the template too."""
        self._made.append(self._template)
        self.remove_from(0)
        self.disconnect()

    def disconnect(self) -> None:
        """Leave the databases to a server that goes away with them."""
        self._admin.close()

    def _create(self, template: str) -> str:
        name = f"glyphd_test_{uuid4().hex[:12]}"
        self._admin.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        self._made.append(name)
        return name


def _migrate(url: str) -> None:
    context = build_context(Settings(database_url=url))
    schema.upgrade(context.database.engine)
    context.database.dispose()


@contextmanager
def server_or_skip() -> Iterator[PostgresServer]:
    """Run a server of PostgreSQL until the block ends; without one a test is skipped, or fails where it must not be."""
    try:
        with PostgresServer() as server:
            yield server
    except PostgresMissingError as missing:
        require_or_skip(str(missing))


def require_or_skip(what: str) -> None:
    """Skip a test for want of a server, unless GLYPHD_TEST_REQUIRE_POSTGRES says that it must run (CI does)."""
    if os.environ.get("GLYPHD_TEST_REQUIRE_POSTGRES"):
        pytest.fail(f"{what}, and GLYPHD_TEST_REQUIRE_POSTGRES is set")
    pytest.skip(f"{WANTING}: {what}")
