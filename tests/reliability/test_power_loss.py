"""G4: what was acknowledged is on the disk, not only on its way there."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from glyphd.services.context import Context
from glyphd.services.running import run_next
from glyphd.settings import Settings
from tests.engines import only_sqlite
from tests.reliability.batches import Batch
from tests.reliability.ledger import submit

_DURABLE = {"sqlite": 2, "postgresql": "on"}
"""`synchronous = FULL`, and `synchronous_commit = on`."""


def test_a_receipt_is_durable_before_it_is_acknowledged(
    engine: str, context: Context, make_settings: Callable[..., Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    """File, then its folders, are synced before the import is committed, and that commit is synced itself."""
    steps = _traced(context, monkeypatch)
    submit(context, Batch("power", 10))
    artifacts = make_settings().artifacts_folder
    (stored,) = artifacts.glob("??/*")
    assert [
        ("fsync", "incoming file"),
        ("rename", stored),
        ("fsync", stored.parent),
        ("fsync", artifacts),
        ("fsync", artifacts.parent),
        ("commit", _DURABLE[engine]),
    ] == steps


def test_publishing_is_durable(engine: str, context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    """The claim and the publication are synced; the steps between need not be, since a takeover begins anew."""
    submit(context, Batch("power", 10))
    steps = _traced(context, monkeypatch)
    run_next(context, "worker")
    levels = [level for kind, level in steps if kind == "commit"]
    assert [_DURABLE[engine]] * 2 == [levels[0], levels[-1]]
    assert {1 if engine == "sqlite" else "off"} == set(levels[1:-1])


@only_sqlite
@pytest.mark.parametrize("pragma", ["journal_mode", "foreign_keys"])
def test_every_connection_is_set_up(make_context: Callable[..., Context], pragma: str) -> None:
    """Write-ahead log and foreign keys are on in each connection of the pool, not only in the first."""
    database = make_context().database
    with database.reading() as one, database.reading() as other:
        found = [connection.exec_driver_sql(f"PRAGMA {pragma}").scalar_one() for connection in (one, other)]
    assert [{"journal_mode": "wal", "foreign_keys": 1}[pragma]] * 2 == found


def _traced(context: Context, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, Any]]:
    """Keep a record of syncs, renames and commits, in order; of a commit how durable it is."""
    steps: list[tuple[str, Any]] = []
    fsync, replace = os.fsync, Path.replace

    def record_fsync(descriptor: int) -> None:
        path = Path(os.readlink(f"/proc/self/fd/{descriptor}"))
        steps.append(("fsync", "incoming file" if path.parent.name == "incoming" else path))
        fsync(descriptor)

    def record_replace(self: Path, target: Path) -> Path:
        steps.append(("rename", target))
        return replace(self, target)

    def record_commit(connection: Any, cursor: Any, statement: str, *_: Any) -> None:
        if statement == "COMMIT":
            asked = "SHOW synchronous_commit" if connection.dialect.name == "postgresql" else "PRAGMA synchronous"
            level = cursor.connection.execute(asked).fetchone()[0]
            steps.append(("commit", level))

    monkeypatch.setattr(os, "fsync", record_fsync)
    monkeypatch.setattr(Path, "replace", record_replace)
    event.listen(context.database.engine, "before_cursor_execute", record_commit)
    return steps
