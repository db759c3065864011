"""Both engines answer every request alike: the same batches go into both, and every endpoint is asked on both.

What cannot be equal is made so before answers are compared: `import_id` (random) becomes the import's number in its
ledger, and the number of a row (`id`) is left out. Everything else has to be the same text, byte for byte.
"""

import dataclasses
import json
import re
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from glyphd.bootstrap import build_context
from glyphd.domain.imports import ImportSort
from glyphd.services.context import Context
from glyphd.services.discarding import discard_import
from glyphd.services.running import run_next
from glyphd.settings import Settings
from tests.engines import Databases, PostgresDatabases, SqliteDatabases
from tests.pipeline_run import enriched_file, scored_file
from tests.property.test_imports import GOOD_RECORDS, JSON_VALUES, as_json
from tests.serving import serving

_NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)
_ROW_NUMBER = re.compile(r'"id":\d+,')
_SETTINGS = hypothesis_settings(
    max_examples=25,
    deadline=None,
    phases=[Phase.generate],  # what there is already belongs to an example: it cannot be made smaller
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)

_NAMES = st.sampled_from(["a", "A", "Z", "_", "ä", "Ä", "H100", "h100", "H-100", "H 100", "😀", "%", "l4", "L40", "ß"])
_RECORDS = st.lists(
    st.tuples(GOOD_RECORDS, _NAMES, _NAMES).map(
        lambda found: {**found[0], "canonical_model": found[1], "seller": found[2], "region": found[1]}
    )
    | st.dictionaries(st.sampled_from(["price", "notes", "canonical_model"]), JSON_VALUES, max_size=3)
    | JSON_VALUES,
    max_size=12,
)
_BATCHES = st.lists(
    st.tuples(
        _RECORDS,
        st.sampled_from(["default", "shop", "Shop", "ähnlich"]),
        st.sampled_from(["continue", "abort"]),
        st.sampled_from(["run", "run", "roll back", "restore", "discard", "wait"]),
        st.dictionaries(st.text("ab\n", max_size=3), st.floats(allow_nan=False, allow_infinity=False), max_size=2),
    ),
    min_size=1,
    max_size=3,
)
_FILTERS = st.fixed_dictionaries(
    {},
    optional={
        "model": _NAMES,
        "seller": _NAMES,
        "region": _NAMES,
        "source": st.sampled_from(["default", "shop", "nobody"]),
        "q": st.sampled_from(["a", "Ä", "halbry", "%", "100", "_"]),
        "min_price": st.sampled_from([0, 1e3, 5e6]),
        "max_score": st.sampled_from([0, 50.5, 100]),
        "after": st.sampled_from(["2010-01-01", "2026-07-01T00:00:00.5Z"]),
        "before": st.sampled_from(["2020-02-29T12:00:00+02:00"]),
        "limit": st.sampled_from([1, 3, 1000]),
        "offset": st.sampled_from([0, 1, 7]),
        "current": st.booleans(),
        "as_of": st.sampled_from(["2026-07-01", "2026-07-01T12:00:00Z", "2027-01-01"]),
    },
)


@dataclass
class _Installation:
    """One engine's: its API, and the imports that it has been given, in order."""

    context: Context
    client: httpx.Client
    imports: list[str] = field(default_factory=list)

    def submit(self, batch: Any) -> Any:
        """Import one batch, leave it waiting, discard it or roll it back; return the answers, made comparable."""
        records, source, on_error, fate, metadata = batch
        options = {"source": source, "on_error": on_error, "metadata": json.dumps(metadata)}
        body = json.dumps([as_json(record) for record in records])
        headers = {"content-type": "application/json", "x-request-id": f"r{len(self.imports)}"}
        validated, answer = (
            self.client.post(path, params=options, content=body, headers=headers)
            for path in ("/api/import/validate", "/api/import")
        )
        if "import_id" not in answer.json():
            return self.plain(validated.text + answer.text)
        self.imports.append(answer.json()["import_id"])
        if fate == "discard":
            discard_import(self.context, self.imports[-1], "test", "unwanted")
        while fate not in {"discard", "wait"} and run_next(self.context, "worker"):
            pass
        changes = {"roll back": ["rollback"], "restore": ["rollback", "restore"]}.get(fate, [])
        receipts = [self.change(self.imports[-1], verb) for verb in changes]
        return self.plain(validated.text + answer.text + "".join(receipts))

    def change(self, import_id: str, verb: str) -> str:
        """Change an import's state, and return the answer."""
        headers = {"x-request-id": verb}
        return self.client.post(f"/api/imports/{import_id}/{verb}", json={"reason": verb}, headers=headers).text

    def submit_run(self, enriched: bytes, scored: bytes) -> str:
        """Import the two files of a pipeline run."""
        files = {"enriched": ("enriched.csv", enriched), "scored": ("scored.csv", scored)}
        answer = self.client.post(
            "/api/imports/from-pipeline",
            files=files,
            data={"source_label": "runs", "metadata": '{"run":7}'},
            headers={"x-request-id": f"r{len(self.imports)}"},
        )
        self.imports.append(answer.json()["import_id"])
        while run_next(self.context, "worker"):
            pass
        return self.plain(answer.text)

    def ask(self, path: str) -> list[Any]:
        """Return the answer, and those of the pages after it, without what cannot be equal."""
        answers = []
        following: str | None = path.format(*self.imports[-3:])
        while following and len(answers) < 20:
            answer = self.client.get(following)
            link = answer.headers.get("link", "")
            answers.append(
                (answer.status_code, answer.headers["content-type"], self.plain(answer.text), self.plain(link))
            )
            following = link[1 : link.index(">")] if link else None
        return answers

    def plain(self, text: str) -> str:
        for number, import_id in enumerate(self.imports):
            text = text.replace(import_id, f"import-{number}")
        return _ROW_NUMBER.sub("", text)


def _paths(imports: int) -> Iterator[str]:
    yield from ("/api/report", "/api/report?as_of=2026-07-01T12:00:00Z&source=shop", "/api/report?budget=1000")
    yield from ("/api/imports?metadata=%7B%22run%22:7%7D", "/api/imports?campaign_id=july")
    yield from (
        "/api/imports?limit=2",
        *(f"/api/imports?sort={sort}&limit=1" for sort in ImportSort if sort.column != "observed_at"),
        "/api/sources",
        "/api/models?limit=2",
        "/api/models?as_of=2027-01-01",
        "/api/listings?limit=5",
    )
    yield from (f"/api/models/h-100/history?bucket={bucket}&limit=2" for bucket in ("import", "day", "week", "month"))
    yield from ("/api/models/%C3%A4/history", "/api/deltas?limit=3", "/api/deltas?min_price_change_pct=10&source=shop")
    for number in range(min(imports, 3)):
        yield from _paths_of(f"{{{number}}}")


def _paths_of(name: str) -> Iterator[str]:
    """Return what is asked of one import."""
    own = f"/api/imports/{name}"
    yield from (
        own,
        f"{own}/events",
        f"{own}/rejections?limit=2",
        f"{own}/rejections?format=csv",
        f"{own}/artifact",
        f"{own}/digest",
        f"{own}/diff?limit=3",
        f"{own}/diff?against={{0}}&change=unchanged&change=price_up&change=disappeared",
        f"{own}/diff?against={{1}}&format=csv",
        f"{own}/artifact?role=scored",
        f"/api/listings?import_id={name}&format=csv",
        f"/api/listings?import_id={name}",
    )
    yield from (f"/api/listings/{name}/{index}/lineage" for index in (1, 2, 3))
    yield from (f"/api/report?import_id={name}&format={form}" for form in ("json", "html"))


@pytest.fixture(scope="module")
def installations(tmp_path_factory: pytest.TempPathFactory, postgres_url: str) -> Iterator[Sequence[_Installation]]:
    """Both engines' installations, kept by the whole module: the more there is in them, the more can differ."""
    with ExitStack() as stack:
        postgres = PostgresDatabases(postgres_url)
        stack.callback(postgres.close)
        sqlite = SqliteDatabases(tmp_path_factory.mktemp("template") / "glyphd.sqlite")
        made = [
            stack.enter_context(_installed(each, tmp_path_factory.mktemp("installation")))
            for each in (sqlite, postgres)
        ]
        yield made


@contextmanager
def _installed(databases: Databases, folder: Path) -> Iterator[_Installation]:
    """Open one installation whose clock stands still; a worker runs only when it is told to."""
    values = {"artifacts_url": str(folder / "artifacts"), "wait_seconds": 0}
    settings = Settings(database_url=databases.migrated(folder), **values)
    context = dataclasses.replace(build_context(settings), clock=lambda: _NOW)
    with serving(settings, context) as client:
        yield _Installation(context, client)
    context.database.dispose()


@given(batches=_BATCHES, filters=st.lists(_FILTERS, min_size=1, max_size=4))
@_SETTINGS
def test_every_endpoint_answers_alike(
    installations: Sequence[_Installation], batches: list[Any], filters: list[dict[str, Any]]
) -> None:
    """Reports, pages, filters, rejections, events, artifacts, models, sources: text for text, in the same order."""
    sqlite, postgres = installations
    for batch in batches:
        assert sqlite.submit(batch) == postgres.submit(batch)
    run = enriched_file(), scored_file()
    assert sqlite.submit_run(*run) == postgres.submit_run(*run)
    found = [f"/api/imports?{urlencode({'metadata': json.dumps(batch[-1])})}" for batch in batches]
    asked = [f"/api/listings?{urlencode(each)}" for each in filters]
    for path in [*_paths(len(sqlite.imports)), *found, *asked]:
        assert sqlite.ask(path) == postgres.ask(path), path
