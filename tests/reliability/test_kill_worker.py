"""G4, G3: a worker is killed at random moments, many times."""

import random
import time
from collections import Counter
from collections.abc import Callable

from sqlalchemy import text

from glyphd.domain.imports import Status
from glyphd.services.context import Context
from tests.reliability.batches import Batch
from tests.reliability.ledger import all_finished, check_installation, reports_of, submit
from tests.reliability.processes import Installation, kill, wait_until
from tests.reliability.reading import Reader


def test_imports_survive_workers_that_are_killed(
    make_installation: Callable[..., Installation], rounds: Callable[[int], int], chance: random.Random
) -> None:
    """Every import ends published with exactly its rows, and no reader ever sees a part of one."""
    installation = make_installation(lease_seconds=0.2)  # one worker at a time: nobody takes over from a living one
    context = installation.context
    batches: dict[str, Batch] = {}
    phases: Counter[str] = Counter()
    with Reader(context, batches, seed=chance.randrange(1 << 32)) as reader:
        for _ in range(rounds(24)):
            while _waiting(context) < 2:
                _submit_another(context, batches, chance)
            worker = installation.start_worker()
            time.sleep(chance.uniform(0.05, 0.8))
            kill(worker)
            phases[_phase(context)] += 1
        worker = installation.start_worker()
        wait_until(lambda: all_finished(context), 90)
    check_installation(context, batches.values())
    reports = reports_of(context)
    assert set(batches) == set(reports)
    codes = {report.failure["code"] for report in reports.values() if report.failure}
    assert {"worker_died"} >= codes
    assert reader.reads > 0
    print(dict(phases), Counter(report.status for report in reports.values()), reader.reads)  # noqa: T201


def _submit_another(context: Context, batches: dict[str, Batch], chance: random.Random) -> None:
    batch = Batch(f"k{len(batches)}", chance.choice([1_000, 20_000, 40_000, 80_000]))
    batches[batch.tag] = batch
    submit(context, batch)


def _waiting(context: Context) -> int:
    return sum(report.status in {Status.RECEIVED, Status.RUNNING} for report in reports_of(context).values())


def _phase(context: Context) -> str:
    """Tell how far the import had come whose worker was killed."""
    with context.database.reading() as connection:
        query = text("SELECT import_id FROM import_batches WHERE status = 'running' ORDER BY started_at DESC LIMIT 1")
        import_id = connection.execute(query).scalar()
        for table in ("import_facets", "import_model_stats", "sightings", "scored_listings"):
            some = text(f"SELECT 1 FROM {table} WHERE import_id = :import_id LIMIT 1")
            if connection.execute(some, {"import_id": import_id}).first():
                return table
    return "between imports" if import_id is None else "claimed"
