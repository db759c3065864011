"""A change of state falls between any two statements of a read: the answer is that of before or that of after (G3, G6).

Nothing is left to chance: the change is made on the reading thread, after the n-th statement of the read, for every n.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from itertools import count
from typing import Any

import httpx
import pytest
from sqlalchemy import event

from glyphd.domain.imports import PublishMode
from glyphd.services.context import Context
from glyphd.services.options import ImportOptions
from glyphd.services.publishing import publish_import
from glyphd.services.receiving import receive_import, store_artifact
from glyphd.services.rolling_back import restore_import, roll_back_import
from glyphd.services.running import run_next
from glyphd.settings import Settings
from tests.reliability.crawls import MODELS, SOURCE, crawl, observed_at
from tests.serving import serving

Change = Callable[[], Any]

READS = {
    "listings": "/api/listings?limit=1000",
    "listings, a page": "/api/listings?limit=50&offset=20",
    "current view": "/api/listings?current=true&limit=1000",
    "view as of": "/api/listings?as_of=2026-07-03T12:00:00Z&limit=1000",
    "listings of an import": "/api/listings?import_id={third}&limit=1000",
    "listings as CSV": "/api/listings?format=csv",
    "listings as NDJSON": "/api/listings?format=ndjson&current=true",
    "listings as Parquet": "/api/listings?format=parquet&current=true",
    "models": "/api/models",
    "models as of": "/api/models?as_of=2026-07-03T12:00:00Z",
    "model history": f"/api/models/{MODELS[0]}/history?bucket=week",
    "model history by import": f"/api/models/{MODELS[0]}/history?bucket=import",
    "listing history": "/api/listings/{key}/history",
    "deltas": "/api/deltas?limit=1000",
    "report": "/api/report",
    "report of an import": "/api/report?import_id={third}",
    "report as Markdown": "/api/report?format=md",
    "diff": "/api/imports/{third}/diff?limit=100",
    "diff as CSV": "/api/imports/{third}/diff?format=csv",
    "lineage": "/api/listings/{third}/1/lineage",
    "lineage of the import before": "/api/listings/{second}/1/lineage",
    "import": "/api/imports/{third}",
    "events": "/api/imports/{third}/events",
    "imports": "/api/imports",
    "sources": "/api/sources",
}
STEADY = {"report of an import", "diff as CSV"}
"""What tells nothing that a change of state changes."""
PAST = {"view as of", "models as of", "listings of an import", "diff", "import", "events", *STEADY}
"""What tells nothing of a batch that is published later."""


@pytest.fixture
def api(make_settings: Callable[..., Settings], context: Context) -> Iterator[httpx.Client]:
    """A client of the API in this process, over the test's database."""
    with serving(make_settings(), context) as client:
        yield client


def submit(context: Context, number: int, **options: Any) -> str:
    """Import a crawl, and return its import_id."""
    with context.artifacts.writing() as writer:
        writer.write(crawl(number))
        artifact = store_artifact(writer, "text/csv", None)
    asked = ImportOptions(source=SOURCE, observed_at=datetime.fromisoformat(observed_at(number)), **options)
    import_id = receive_import(context, asked, [artifact], "test")
    assert run_next(context, "worker")
    return import_id


@contextmanager
def after_statement(context: Context, nth: int, change: Change) -> Iterator[list[str]]:
    """Make a change once, when the n-th statement of a read is done; yield the statements that were seen."""
    statements: list[str] = []
    changing = False

    def done(*told: Any) -> None:
        nonlocal changing
        if not changing:
            statements.append(told[2])
            if len(statements) == nth:
                changing = True
                change()
                changing = False

    engine = context.database.engine
    event.listen(engine, "after_cursor_execute", done)
    try:
        yield statements
    finally:
        event.remove(engine, "after_cursor_execute", done)


def get(api: httpx.Client, path: str) -> bytes:
    """Return the bytes of an answer."""
    answer = api.get(path)
    assert 200 == answer.status_code, answer.text
    return answer.content


def check(context: Context, api: httpx.Client, path: str, nth: int, change: Change) -> set[bytes] | None:
    """Read while a change is made; return the answers of before and after, None if the read has fewer statements."""
    before = get(api, path)
    with after_statement(context, nth, change) as statements:
        during = get(api, path)
    if len(statements) < nth:
        return None
    answers = {before, get(api, path)}
    assert during in answers, f"a mix after statement {nth}: {statements[nth - 1]}"
    return answers


def flip(context: Context, api: httpx.Client, path: str, import_id: str) -> Iterator[set[bytes]]:
    """Roll an import back, and restore it, at each statement of a read; yield the answers of before and after."""
    for nth in count(1):
        for change in (roll_back_import, restore_import):
            answers = check(context, api, path, nth, partial(change, context, import_id, "ana"))
            if answers is None:
                return
            yield answers


@pytest.mark.parametrize("read", READS)
def test_an_answer_is_of_before_or_after(context: Context, api: httpx.Client, read: str) -> None:
    """For each read, at each of its statements: a batch is rolled back, and restored; then one is published."""
    _, second, third = (submit(context, number) for number in (1, 2, 3))
    key = api.get("/api/listings?limit=1").json()[0]["listing_key"]
    path = READS[read].format(second=second, third=third, key=key)
    flips = list(flip(context, api, path, third))
    assert len(flips) >= 2
    assert {1 if read in STEADY else 2} == {len(answers) for answers in flips}
    staged = submit(context, 4, publish=PublishMode.HOLD)
    published = check(context, api, path, 1, partial(publish_import, context, staged, "ana"))
    assert (1 if read in PAST else 2) == len(published or ())
