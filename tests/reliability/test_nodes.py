"""Several servers and workers over one database and one artifact folder, as on several hosts."""

import os
import signal
from collections.abc import Callable
from pathlib import Path

import httpx
from sqlalchemy import text

from glyphd.domain.imports import Status
from glyphd.services.context import Context
from glyphd.services.inspecting import inspect_events
from glyphd.services.reporting import report_import
from glyphd.store import schema
from tests.engines import Databases
from tests.reliability.batches import Batch
from tests.reliability.ledger import all_finished, check_installation, submit
from tests.reliability.processes import Installation, kill, wait_until


def test_ten_nodes_that_start_at_once_migrate_once(
    make_installation: Callable[..., Installation], databases: Databases, tmp_path: Path
) -> None:
    """All ten come up on a database that was empty; one of them has migrated it."""
    installation = make_installation(database_url=databases.empty(tmp_path / "new"))
    nodes = [installation.start(["serve", "--migrate", "--port", "0", "--import-workers", "0"]) for _ in range(10)]
    wait_until(lambda: installation.events().count("server.starting") == 10)
    assert all(node.is_alive() for node in nodes)
    assert 1 == installation.events().count("schema.migrated")
    assert schema.HEAD == schema.schema_status(installation.context.database.engine).current


def test_any_node_accepts_and_any_node_tells(make_installation: Callable[..., Installation]) -> None:
    """An import that one server received is run by whichever worker is free, and another server shows how far it is."""
    installation = make_installation(lease_seconds=30)
    here, there = installation.start_server(), installation.start_server()
    batch = Batch("nodes", 250_000)
    import_id = httpx.post(
        f"{here.url}/api/import?source=nodes", content=batch.content, headers={"content-type": "text/csv"}, timeout=60
    ).json()["import_id"]
    seen = {0}

    def watch() -> bool:
        report = httpx.get(f"{there.url}/api/imports/{import_id}").json()
        seen.add((report["progress"] or {"records_done": batch.records})["records_done"])
        return str(report["status"]) == "published"

    installation.start_worker()
    wait_until(watch, every=0.01)
    assert len(seen) > 2, "no progress was seen on the way"
    rows = [httpx.get(f"{node.url}/api/listings?import_id={import_id}&limit=1000").json() for node in (here, there)]
    assert rows[0] == rows[1]
    check_installation(installation.context, [batch])


def test_workers_drain_when_they_are_told_to_stop(make_installation: Callable[..., Installation]) -> None:
    """`glyphd worker --concurrency 2` runs two imports at once; after SIGTERM it finishes them and begins no other."""
    installation = make_installation(lease_seconds=30)
    context = installation.context
    batches = [Batch(f"drain{number}", 200_000) for number in range(3)]
    ids = [submit(context, batch) for batch in batches]
    workers = installation.start(["worker", "--concurrency", "2"])
    wait_until(lambda: [Status.RUNNING] * 2 == [report_import(context, import_id).status for import_id in ids[:2]])
    os.kill(workers.pid or 0, signal.SIGTERM)
    workers.join(60)
    assert 0 == workers.exitcode
    found = [report_import(context, import_id).status for import_id in ids]
    assert [Status.PUBLISHED, Status.PUBLISHED, Status.RECEIVED] == found
    assert [1, 1, 0] == [_attempts(context, import_id) for import_id in ids]
    assert 2 == _workers(context)
    installation.start_worker()
    wait_until(lambda: all_finished(context))
    check_installation(context, batches)


def test_a_dead_workers_import_is_taken_over_within_its_lease(make_installation: Callable[..., Installation]) -> None:
    """No longer than the lease after the worker's death another one, on whichever host, has begun it anew."""
    installation = make_installation(lease_seconds=3)
    context = installation.context
    batch = Batch("lease", 200_000)
    import_id = submit(context, batch)
    first = installation.start_worker()
    wait_until(lambda: report_import(context, import_id).status is Status.RUNNING, every=0.005)
    kill(first)
    installation.start_worker()
    wait_until(lambda: _attempts(context, import_id) == 2, seconds=3 + 2)
    wait_until(lambda: all_finished(context))
    check_installation(context, [batch])


def _attempts(context: Context, import_id: str) -> int:
    return sum(found.action in {"started", "taken_over"} for found in inspect_events(context, import_id, limit=100))


def _workers(context: Context) -> int:
    with context.database.reading() as connection:
        return int(connection.execute(text("SELECT count(DISTINCT worker) FROM import_batches")).scalar_one())
