"""What has to happen first, or meanwhile, for the types of problem that no single request provokes."""

import dataclasses
import errno
import io
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import polars as pl
import pytest

from glyphd.api.problems import problem_response
from glyphd.bootstrap import build_context
from glyphd.client.problems import problem_of
from glyphd.domain.clock import utc_now
from glyphd.errors import FileFault, GlyphdError
from glyphd.services import browsing, reporting, running
from glyphd.services.context import Context
from glyphd.services.copying import copy_installation
from glyphd.services.idempotency import claim_key
from glyphd.services.running import MAX_ATTEMPTS, claim_next, run_next
from glyphd.settings import Settings
from glyphd.store import imports, schema
from tests.engines import Databases
from tests.integration.api.problem_examples import BAD, GOOD, HEADER
from tests.moving import run_on

CSV = {"Content-Type": "text/csv"}
KEY = "wamatek-2026-11-25"
Answer = httpx.Response | GlyphdError
"""What a problem comes as: an answer, or an exception where no answer carries it."""


@dataclasses.dataclass(frozen=True, slots=True)
class Scene:
    """The fixtures that the scenes need."""

    make_api: Callable[..., httpx.Client]
    make_context: Callable[..., Context]
    make_settings: Callable[..., Settings]
    databases: Databases
    monkeypatch: pytest.MonkeyPatch
    folder: Path

    def post(self, api: httpx.Client, content: bytes = HEADER + GOOD, **headers: str) -> httpx.Response:
        """Submit a batch."""
        return api.post("/api/import", content=content, headers={**CSV, **headers})

    def post_meanwhile(self, then: Callable[[httpx.Client, str], object]) -> httpx.Response:
        """Submit a batch and let something happen while its sender waits."""
        api, pending, happened = self.make_api(worker=False), reporting.is_pending, []

        def is_pending(context: Context, import_id: str) -> bool:
            if not happened:
                happened.append(then(api, import_id))
            return pending(context, import_id)

        self.monkeypatch.setattr("glyphd.api.importing.is_pending", is_pending)
        return self.post(api)

    @contextmanager
    def empty(self) -> Iterator[Context]:
        """Connect to a database without tables until the block ends."""
        context = build_context(Settings(database_url=self.databases.empty(self.folder / "empty")))
        yield context
        context.database.dispose()

    def caught(self, action: Callable[[], object]) -> GlyphdError:
        """Return what an action raises."""
        with pytest.raises(GlyphdError) as raised:
            action()
        return raised.value


def later(context: Context, hours: float) -> Context:
    """Return the context as it is some time later."""
    return dataclasses.replace(context, clock=lambda: utc_now() + timedelta(hours=hours))


def base_class(_: Scene) -> Answer:
    """No failure is only that."""
    return GlyphdError()


def any_file_fault(_: Scene) -> Answer:
    """Nor that."""
    return FileFault()


def file_gone(scene: Scene) -> Answer:
    """A file is taken out of the artifact store."""
    api = scene.make_api()
    report = scene.post(api).json()
    sha256 = report["artifacts"][0]["sha256"]
    (scene.make_settings().artifacts_folder / sha256[:2] / sha256).unlink()
    return api.get(report["links"]["artifact"])


def other_role(scene: Scene) -> Answer:
    """A plain batch is asked for the scored file of a pipeline run."""
    api = scene.make_api()
    return api.get(scene.post(api).json()["links"]["artifact"], params={"role": "scored"})


def beyond_the_end(scene: Scene) -> Answer:
    """A range is asked for that begins after the last byte."""
    api = scene.make_api()
    return api.get(scene.post(api).json()["links"]["artifact"], headers={"Range": "bytes=5000-"})


def published_is_discarded(scene: Scene) -> Answer:
    """A published import cannot be discarded."""
    api = scene.make_api()
    return api.post(scene.post(api).json()["links"]["self"] + "/discard")


def replayed_without_artifact(scene: Scene) -> Answer:
    """An import of the field has no artifact."""
    api = scene.make_api()
    report = scene.post(api).json()
    run_on(scene.make_context(), "DELETE FROM import_artifacts")
    return api.post(report["links"]["self"] + "/replay")


def queue_full(scene: Scene) -> Answer:
    """There is place for one, and no worker."""
    api = scene.make_api(worker=False, max_queue=1, wait_seconds=0)
    scene.post(api)
    return scene.post(api)


def key_of_another(scene: Scene) -> Answer:
    """The same key with another file."""
    api = scene.make_api()
    scene.post(api, **{"Idempotency-Key": f'"{KEY}"'})
    return scene.post(api, HEADER + GOOD + BAD, **{"Idempotency-Key": f'"{KEY}"'})


def key_in_flight(scene: Scene) -> Answer:
    """The first request with the key has not come to its end."""
    api = scene.make_api()
    claim_key(scene.make_context(), KEY)
    return scene.post(api, **{"Idempotency-Key": f'"{KEY}"'})


def discarded_meanwhile(scene: Scene) -> Answer:
    """Somebody discards what another one waits for."""
    return scene.post_meanwhile(lambda api, import_id: api.post(f"/api/imports/{import_id}/discard"))


def workers_died(scene: Scene) -> Answer:
    """Every attempt is begun and none ends."""

    def die(_api: httpx.Client, _import_id: str) -> None:
        context = scene.make_context()
        for hours in range(MAX_ATTEMPTS):
            claim_next(later(context, hours), "worker")
        run_next(later(context, MAX_ATTEMPTS), "worker")

    return scene.post_meanwhile(die)


def row_lost(scene: Scene) -> Answer:
    """The database loses a row before the audit."""
    audit = running.audit_import

    def losing(context: Context, *more: Any) -> Any:
        run_on(context, "DELETE FROM scored_listings")
        return audit(context, *more)

    scene.monkeypatch.setattr(running, "audit_import", losing)
    return scene.post(scene.make_api())


def taken_over(scene: Scene) -> Answer:
    """A worker goes on after its lease has lapsed and another one has begun."""
    context = scene.make_context()
    scene.post(scene.make_api(worker=False, wait_seconds=0))
    held = claim_next(context, "first")
    claim_next(later(context, 1), "second")
    assert held

    def go_on() -> None:
        with context.database.writing() as work:
            imports.update_running(work.connection, held, {"count": 1})

    return scene.caught(go_on)


def disk_full(scene: Scene) -> Answer:
    """The disk takes no more bytes."""

    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    api = scene.make_api(worker=False)
    scene.monkeypatch.setattr(os, "fsync", full)
    return scene.post(api)


def database_gone(scene: Scene) -> Answer:
    """The database is spoilt under a running server."""
    api = scene.make_api(worker=False)
    scene.databases.spoil(scene.make_settings().database_url)
    return api.get("/api/imports")


def fault_of_the_service(scene: Scene) -> Answer:
    """Something happens that nobody has thought of."""

    def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError

    scene.monkeypatch.setattr(browsing, "browse_listings", broken)
    return scene.make_api(worker=False).get("/api/listings")


def not_migrated(scene: Scene) -> Answer:
    """A database without tables."""
    with scene.empty() as context:
        return scene.caught(lambda: schema.require_current(context.database.engine))


def not_ours(scene: Scene) -> Answer:
    """A database with a table of the same name that is something else."""
    with scene.empty() as context:
        run_on(context, "CREATE TABLE models (model text)")
        return scene.caught(lambda: schema.upgrade(context.database.engine))


def copied_to_itself(scene: Scene) -> Answer:
    """Source and target are one."""
    context = scene.make_context()
    return scene.caught(lambda: copy_installation(context, context))


def changed_at_the_target(scene: Scene) -> Answer:
    """A copy is changed, and copied to once more."""
    scene.post(scene.make_api())
    source, target = scene.make_context(), scene.make_context("target")
    copy_installation(source, target)
    run_on(target, "DELETE FROM sightings")
    return scene.caught(lambda: copy_installation(source, target))


def nested_column(scene: Scene) -> Answer:
    """A price of several values."""
    target = io.BytesIO()
    names = HEADER.decode().strip().split(",")
    pl.DataFrame({name: [{"amount": 1.0} if name == "price" else "1"] for name in names}).write_parquet(target)
    return scene.post(scene.make_api(), target.getvalue(), **{"Content-Type": "application/vnd.apache.parquet"})


def said_by(status: int, **body: Any) -> Callable[[Scene], Answer]:
    """Return the scene in which a client is answered something by what is no glyphd, or a newer one."""
    asked = httpx.Request("GET", "http://127.0.0.1:8080/api/listings")
    return lambda _: problem_of(httpx.Response(status, content=json.dumps(body), request=asked))


SCENES: dict[str, Callable[[Scene], Answer]] = {
    "artifact_damaged": file_gone,
    "artifact_not_found": other_role,
    "copy_differs": changed_at_the_target,
    "copy_refused": copied_to_itself,
    "counts_disagree": row_lost,
    "error": base_class,
    "file_fault": any_file_fault,
    "idempotency_key_in_flight": key_in_flight,
    "idempotency_key_reused": key_of_another,
    "illegal_transition": published_is_discarded,
    "import_discarded": discarded_meanwhile,
    "lease_lost": taken_over,
    "migration_failed": not_ours,
    "nested_column": nested_column,
    "no_space_left": disk_full,
    "nothing_to_replay": replayed_without_artifact,
    "queue_full": queue_full,
    "range_not_satisfiable": beyond_the_end,
    "schema_out_of_date": not_migrated,
    "server_unreachable": said_by(502),
    "store_unavailable": database_gone,
    "unexpected_answer": said_by(404),
    "unexpected_failure": fault_of_the_service,
    "unknown_problem": said_by(409, code="quota_exceeded", detail="The quota of the source is used up."),
    "worker_died": workers_died,
}


def answered(answer: Answer) -> dict[str, Any]:
    """Return the problem; an exception is shown as it would be answered."""
    problem: dict[str, Any] = json.loads(
        problem_response(answer).body if isinstance(answer, GlyphdError) else answer.content
    )
    return problem
