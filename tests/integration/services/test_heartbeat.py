"""The heartbeat: a lease lapses when its worker is dead or stopped, not when it is busy."""

import dataclasses
import sqlite3
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event

from glyphd.domain.imports import Import
from glyphd.services.context import Context
from glyphd.services.discarding import discard_import
from glyphd.services.heartbeat import heartbeat
from glyphd.services.running import claim_next

_LEASE = 0.3


@pytest.fixture
def short(context: Context) -> Context:
    """A context whose leases are short."""
    return dataclasses.replace(context, lease=timedelta(seconds=_LEASE))


@pytest.fixture
def held(short: Context, receive: Callable[..., str]) -> Import:
    """An import that a worker has just claimed."""
    receive("x\n")
    claimed = claim_next(short, "worker")
    assert claimed is not None
    return claimed


def test_a_busy_worker_keeps_its_import(short: Context, held: Import) -> None:
    """For many leases; once the heart stops, another one may have it after one more."""
    with heartbeat(short, held):
        for _ in range(10):
            time.sleep(_LEASE / 3)
            assert claim_next(short, "other") is None
    time.sleep(_LEASE * 1.2)
    successor = claim_next(short, "other")
    assert successor is not None
    assert (held.import_id, held.fencing_token + 1) == (successor.import_id, successor.fencing_token)


def test_the_heart_stops_when_the_import_is_lost(short: Context, held: Import) -> None:
    """It does not renew what was discarded, nor what is another worker's."""
    with heartbeat(short, held):
        discard_import(short, held.import_id, "test")
        time.sleep(_LEASE)
    assert claim_next(short, "other") is None


def test_a_missed_beat_is_made_up_for(short: Context, held: Import) -> None:
    """The store was away for a moment: the next beat renews the lease."""
    troubles = iter([sqlite3.OperationalError("database is locked")])

    def refuse(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if statement.startswith("UPDATE") and (trouble := next(troubles, None)) is not None:
            raise trouble

    event.listen(short.database.engine, "before_cursor_execute", refuse)
    with heartbeat(dataclasses.replace(short, lease=timedelta(seconds=_LEASE * 2)), held):
        time.sleep(_LEASE * 3)
        assert claim_next(short, "other") is None
    assert next(troubles, None) is None
