"""G4, G3: the server, its worker or both are killed at random moments, while clients upload."""

import os
import random
import signal
import threading
import time
from collections.abc import Callable

import httpx
import pytest

from glyphd.domain.imports import Status
from glyphd.services.inspecting import inspect_events
from glyphd.services.reporting import report_import
from tests.reliability.batches import Batch
from tests.reliability.ledger import all_finished, check_installation, reports_of
from tests.reliability.processes import Installation, Server, children_of, is_alive, kill, wait_until
from tests.reliability.reading import Reader


def test_what_was_acknowledged_survives_servers_and_workers_that_are_killed(
    make_installation: Callable[..., Installation], rounds: Callable[[int], int], chance: random.Random
) -> None:
    """Every acknowledged import ends published with its rows; one whose answer was cut off is whole or absent."""
    installation = make_installation(lease_seconds=0.2)
    context = installation.context
    batches: dict[str, Batch] = {}
    server, worker = installation.start_server(), installation.start_worker()
    with (
        Reader(context, batches, seed=chance.randrange(1 << 32)) as reader,
        _Uploads(server.url, batches, chance.randrange(1 << 32)) as uploads,
    ):
        for _ in range(rounds(10)):
            time.sleep(chance.uniform(0.05, 1))
            struck = chance.choice(["server", "worker", "both"])
            if struck != "worker":
                kill(server.process)
            if struck != "server":
                kill(worker)
            server = installation.start_server(port=server.port) if struck != "worker" else server
            worker = installation.start_worker() if struck != "server" else worker
    wait_until(lambda: all_finished(context), 90)
    check_installation(context, batches.values())
    reports = reports_of(context)
    assert uploads.acknowledged
    assert {} == {tag: id_ for tag, id_ in uploads.acknowledged.items() if reports[tag].import_id != id_}
    assert {"worker_died"} >= {report.failure["code"] for report in reports.values() if report.failure}
    assert reader.reads > 0


@pytest.mark.parametrize("struck", ["worker", "server and worker", "server"])
def test_serve_recovers(make_installation: Callable[..., Installation], struck: str) -> None:
    """`glyphd serve` replaces a dead worker and frees its import at once; a server may die without its worker."""
    installation = make_installation(lease_seconds=30 if struck != "server and worker" else 0.5)
    batch = Batch("served", 120_000)
    server = installation.start_server(import_workers=1)
    worker = _worker_of(server)
    import_id = _upload(server.url, batch)
    wait_until(lambda: _records_done(server.url, import_id) > 0, every=0.005)
    if "server" in struck:
        kill(server.process)
    if "worker" in struck:
        os.kill(worker, signal.SIGKILL)
    if "server" in struck:
        server = installation.start_server(port=server.port, import_workers=1)
    wait_until(lambda: all_finished(installation.context), 25)  # less than a lease: nobody waited for it to run out
    check_installation(installation.context, [batch])
    report = report_import(installation.context, import_id)
    assert Status.PUBLISHED is report.status
    wait_until(lambda: not is_alive(worker))
    assert {"server": 1}.get(struck, 2) == _attempts(installation, import_id)


def _worker_of(server: Server) -> int:
    wait_until(lambda: bool(children_of(server.process.pid or 0)))
    return children_of(server.process.pid or 0)[0]


def _records_done(url: str, import_id: str) -> int:
    progress = httpx.get(f"{url}/api/imports/{import_id}").json()["progress"]
    assert progress, "the import was finished before the blow"
    return int(progress["records_done"])


def _attempts(installation: Installation, import_id: str) -> int:
    found = inspect_events(installation.context, import_id, limit=100)
    return sum(event.action in {"started", "taken_over"} for event in found)


def _upload(url: str, batch: Batch) -> str:
    files = {"file": (f"{batch.tag}.csv", batch.content, "text/csv")}
    answer = httpx.post(f"{url}/api/import", params={"source": batch.tag}, files=files, timeout=30)
    assert answer.status_code in {201, 202}, answer.text
    return str(answer.json()["import_id"])


class _Uploads:
    """A client that uploads batch after batch, and keeps what was acknowledged; servers come and go."""

    def __init__(self, url: str, batches: dict[str, Batch], seed: int) -> None:
        self.acknowledged: dict[str, str] = {}
        self._url = url
        self._batches = batches
        self._random = random.Random(seed)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._upload_all)

    def __enter__(self) -> "_Uploads":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _upload_all(self) -> None:
        while not self._stop.wait(0.1):
            tag = f"s{len(self._batches)}"
            self._batches[tag] = Batch(tag, self._random.choice([100, 5_000, 20_000, 60_000]))
            try:
                self.acknowledged[tag] = _upload(self._url, self._batches[tag])
            except httpx.TransportError:
                time.sleep(0.1)  # the server is dead; the next one is started
