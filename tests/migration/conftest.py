"""Databases to migrate."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine


@pytest.fixture
def make_engine(tmp_path: Path) -> Iterator[Callable[[str], Engine]]:
    """Return a function that opens the database of a name in a folder of its own; all are closed at the end."""
    engines: dict[str, Engine] = {}

    def make(name: str = "glyphd") -> Engine:
        if name not in engines:
            url = f"sqlite:///{tmp_path / name}.sqlite"
            engines[name] = create_engine(url, connect_args={"isolation_level": None})
        return engines[name]

    yield make
    for engine in engines.values():
        engine.dispose()
