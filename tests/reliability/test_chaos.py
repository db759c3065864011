"""Several API processes and workers on one PostgreSQL, with workers killed at random: what was acknowledged holds."""

import json
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from glyphd.domain.imports import Status
from glyphd.services.context import Context
from glyphd.services.digesting import digest_import
from glyphd.services.options import ImportOptions, parse_options
from glyphd.services.receiving import receive_import, store_artifact
from glyphd.services.reporting import report_import
from glyphd.services.running import run_next
from tests.engines import only_postgresql
from tests.reliability.batches import Batch
from tests.reliability.ledger import all_finished, check_soundness
from tests.reliability.processes import Installation, kill, wait_until

_UPLOADS = 64
_SIZES = [200, 5_000, 20_000, 60_000]
_MINUTE = 60


@dataclass(frozen=True)
class _Upload:
    """A batch as a client sends it."""

    tag: str
    content: bytes
    media_type: str = "text/csv"
    on_error: str = "continue"
    in_form: bool = False

    def send(self, url: str) -> str:
        """Upload it; return the import_id."""
        options = {"source": self.tag, "on_error": self.on_error}
        body: dict[str, Any] = {"content": self.content, "headers": {"content-type": self.media_type}}
        if self.in_form:
            body = {"files": {"file": (f"{self.tag}.csv", self.content, self.media_type)}}
        answer = httpx.post(f"{url}/api/import", params=options, timeout=120, **body)
        assert 202 == answer.status_code, answer.text
        return str(answer.json()["import_id"])


def _uploads() -> list[_Upload]:
    """Good ones of several sizes and forms, and some that must fail, each with a reason of its own."""
    made = []
    for number in range(_UPLOADS):
        batch = Batch(f"u{number}", _SIZES[number % 4])
        match number % 8:
            case 3:
                made.append(_Upload(batch.tag, _as_json(batch), "application/json"))
            case 5:
                made.append(_Upload(batch.tag, batch.content, on_error="abort"))
            case 6:
                made.append(_Upload(batch.tag, batch.content.replace(b"vram_gb", b"memory", 1)))
            case 7:
                made.append(_Upload(batch.tag, batch.content.replace(b",350,", b",-1,")))
            case kind:
                made.append(_Upload(batch.tag, batch.content, in_form=kind % 2 == 0))
    return made


def _as_json(batch: Batch) -> bytes:
    header, *lines = batch.content.decode().splitlines()
    names = header.split(",")
    return json.dumps([dict(zip(names, line.split(","), strict=True)) for line in lines]).encode()


@only_postgresql
def test_sixty_four_uploads_while_workers_are_killed(
    make_installation: Callable[..., Installation], rounds: Callable[[int], int], chance: random.Random
) -> None:
    """Each ends published with the rows of a quiet run, or failed with its reason; three servers, three workers."""
    uploads = _uploads()
    expected = _quiet_run(make_installation("quiet").context, uploads)
    installation = make_installation(lease_seconds=1)
    context = installation.context
    servers = [installation.start_server() for _ in range(3)]
    with _killing(installation, chance) as killed:
        began = time.monotonic()
        with ThreadPoolExecutor(_UPLOADS) as pool:
            sent = pool.map(lambda at: uploads[at].send(servers[at % 3].url), range(_UPLOADS))
            ids = dict(zip([upload.tag for upload in uploads], sent, strict=True))
        time.sleep(max(0, rounds(_MINUTE) - (time.monotonic() - began)))
    wait_until(lambda: all_finished(context), 180)
    outcomes = {tag: _outcome(context, import_id) for tag, import_id in ids.items()}
    died = {tag for tag, outcome in outcomes.items() if outcome == (Status.FAILED, "worker_died")}
    assert {tag: expected[tag] for tag in ids if tag not in died} == {
        tag: outcome for tag, outcome in outcomes.items() if tag not in died
    }
    check_soundness(context)
    assert len(killed) >= rounds(20)
    print(Counter(status for status, _ in outcomes.values()), len(died), len(killed))  # noqa: T201


def _quiet_run(context: Context, uploads: list[_Upload]) -> dict[str, tuple[Status, str]]:
    """Run every batch by itself, undisturbed; return its outcome."""
    found = {}
    for upload in uploads:
        with context.artifacts.writing() as writer:
            writer.write(upload.content)
            artifact = store_artifact(writer, upload.media_type, None)
        said = {"source": upload.tag, "on_error": upload.on_error}
        options: ImportOptions = parse_options(said, now=context.clock())
        import_id = receive_import(context, options, [artifact], "test")
        run_next(context, "quiet")
        found[upload.tag] = _outcome(context, import_id)
    kinds = Counter(what if status is Status.FAILED else "rows" for status, what in found.values())
    assert {"rows": 40, "rejected_records": 8, "missing_column": 8, "no_valid_record": 8} == kinds
    return found


def _outcome(context: Context, import_id: str) -> tuple[Status, str]:
    """Return the status, and the row digest or why there are no rows."""
    report = report_import(context, import_id)
    if report.status is Status.PUBLISHED:
        return report.status, digest_import(context, import_id)
    return report.status, (report.failure or {})["code"]


@contextmanager
def _killing(installation: Installation, chance: random.Random) -> Iterator[list[int]]:
    """Keep three workers running and kill one of them at random, again and again, until the block ends."""
    workers = [installation.start_worker() for _ in range(3)]
    killed: list[int] = []
    stop = threading.Event()

    def strike() -> None:
        while not stop.wait(chance.uniform(0.3, 2)):
            at = chance.randrange(3)
            killed.append(workers[at].pid or 0)
            kill(workers[at])
            workers[at] = installation.start_worker()

    thread = threading.Thread(target=strike)
    thread.start()
    try:
        yield killed
    finally:
        stop.set()
        thread.join()
