"""Two servers on one database file, and many uploads at once."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import httpx
from sqlalchemy import text

from tests.reliability.batches import Batch
from tests.reliability.ledger import all_finished, check_installation, reports_of
from tests.reliability.processes import Installation, wait_until
from tests.reliability.reading import Reader

_SIZES = [10, 100, 1_000, 5_000, 10_000, 30_000]


def test_two_servers_never_run_one_import_twice(make_installation: Callable[..., Installation]) -> None:
    """Of many imports that two servers receive and their workers run, each is started once and taken over never."""
    installation = make_installation(lease_seconds=30)
    context = installation.context
    servers = [installation.start_server(), installation.start_server()]
    workers = [installation.start_worker() for _ in range(4)]
    batches = {f"two{number}": Batch(f"two{number}", _SIZES[number % 5]) for number in range(40)}
    with Reader(context, batches, seed=1), ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda at: _upload(servers[at[0] % 2].url, at[1]), enumerate(batches.values())))
    assert [{202}] == [{answer.status_code for answer in answers}]
    wait_until(lambda: all_finished(context), 60)
    assert all(worker.is_alive() for worker in workers)
    check_installation(context, batches.values())
    reports = reports_of(context)
    assert {answer.json()["import_id"] for answer in answers} == {report.import_id for report in reports.values()}
    with context.database.reading() as connection:
        starts = text("SELECT count(*) FROM import_events WHERE action IN ('started', 'taken_over')")
        assert len(batches) == connection.execute(starts).scalar_one()
        attempts = text("SELECT DISTINCT attempts FROM import_batches")
        assert [1] == list(connection.execute(attempts).scalars())
        ran = text("SELECT count(DISTINCT worker) FROM import_batches")
        assert connection.execute(ran).scalar_one() > 1


def test_uploads_at_once_queue_and_all_succeed(make_installation: Callable[..., Installation]) -> None:
    """Twenty-four uploads of mixed sizes at one moment are all answered 201, none with a busy database."""
    installation = make_installation(lease_seconds=30, wait_seconds=60)
    server = installation.start_server()
    installation.start_worker()
    batches = [Batch(f"up{number}", _SIZES[number % len(_SIZES)]) for number in range(24)]
    with ThreadPoolExecutor(len(batches)) as pool:
        answers = list(pool.map(lambda batch: _upload(server.url, batch), batches))
    assert [201] * len(batches) == [answer.status_code for answer in answers]
    assert [batch.records for batch in batches] == [answer.json()["received"] for answer in answers]
    assert [len(batch.rows) for batch in batches] == [answer.json()["count"] for answer in answers]
    check_installation(installation.context, batches)


def _upload(url: str, batch: Batch) -> httpx.Response:
    files = {"file": (f"{batch.tag}.csv", batch.content, "text/csv")}
    return httpx.post(f"{url}/api/import", params={"source": batch.tag}, files=files, timeout=90)
