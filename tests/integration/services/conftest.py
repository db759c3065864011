"""Factories for imports at every point of their life."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from glyphd.domain.imports import Status
from glyphd.services.cleaning import clean_next
from glyphd.services.context import Context
from glyphd.services.options import ImportOptions
from glyphd.services.receiving import receive_import, store_artifact
from glyphd.services.rolling_back import roll_back_import
from glyphd.services.running import claim_next, run_next
from tests.moving import Moving

TABLES = ("sightings", "import_model_stats", "import_facets", "scored_listings", "import_rejections")
"""What a whole import has rows in."""
HEADER = "canonical_model,vram_gb,tdp_watts,mig_support,nvlink,price,score,seller,region,condition,seen_at"


@pytest.fixture
def make_lines() -> Callable[..., str]:
    """Make a CSV of one record per price; a price of 0 makes its record invalid."""

    def make(*prices: float, model: str = "H100", seller: str = "s", region: str = "US", condition: str = "New") -> str:
        rows = [f"{model},80,350,7,True,{price},71.4,{seller},{region},{condition}," for price in prices]
        return "\n".join([HEADER, *rows]) + "\n"

    return make


@pytest.fixture
def receive(context: Context) -> Callable[..., str]:
    """Receive a batch given as text and return its import_id; no worker has seen it yet."""

    def run(content: str | bytes, media_type: str = "text/csv", **options: Any) -> str:
        with context.artifacts.writing() as writer:
            writer.write(content if isinstance(content, bytes) else content.encode())
            artifact = store_artifact(writer, media_type, None)
        return receive_import(context, ImportOptions(**options), [artifact], "test")

    return run


@pytest.fixture
def publish(context: Context, receive: Callable[..., str]) -> Callable[..., str]:
    """Receive a batch, run what waits, and return its import_id."""

    def run(content: str | bytes, *arguments: Any, **options: Any) -> str:
        import_id = receive(content, *arguments, **options)
        while run_next(context, "worker"):
            pass
        return import_id

    return run


@pytest.fixture
def execute(context: Context) -> Callable[..., list[Any]]:
    """Run one SQL statement, as a third party with write access would, and return its rows."""

    def run(statement: str, **values: Any) -> list[Any]:
        with context.database.writing() as work:
            found = work.connection.execute(text(statement), values)
            rows = found.all() if found.returns_rows else []
            work.commit()
        return list(rows)

    return run


@pytest.fixture
def add_trigger(engine: str, execute: Callable[..., list[Any]]) -> Callable[..., None]:
    """Let the database do something for each row that is inserted into a table; ``refuse`` makes it refuse the row."""

    def add(table: str, action: str, when: str = "true") -> None:
        if engine == "sqlite":
            action = "SELECT RAISE(ABORT, 'no')" if action == "refuse" else action
            execute(f"CREATE TRIGGER thief AFTER INSERT ON {table} WHEN {when} BEGIN {action}; END")
            return
        action = "RAISE EXCEPTION 'no'" if action == "refuse" else action
        execute(f"CREATE FUNCTION thief() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN {action}; RETURN NULL; END$$")
        execute(f"CREATE TRIGGER thief AFTER INSERT ON {table} FOR EACH ROW WHEN ({when}) EXECUTE FUNCTION thief()")

    return add


@pytest.fixture
def make_import(
    context: Context, receive: Callable[..., str], execute: Callable[..., list[Any]], make_lines: Callable[..., str]
) -> Callable[[Status], str]:
    """Make an import of two rows in any state, by the way that leads there."""

    def make(status: Status) -> str:
        import_id = receive(make_lines(100, 200, 0), source=str(status))
        if status is Status.RUNNING:
            claim_next(context, "worker")
        if status is Status.STAGED:
            execute("UPDATE import_batches SET publish_mode = 'hold' WHERE import_id = :id", id=import_id)
        if status is Status.DISCARDED:
            execute("UPDATE import_batches SET status = 'discarded' WHERE import_id = :id", id=import_id)
        if status is Status.FAILED:
            execute("UPDATE import_batches SET on_error = 'abort' WHERE import_id = :id", id=import_id)
        if status not in {Status.RECEIVED, Status.RUNNING, Status.DISCARDED}:
            run_next(context, "worker")
        if status in {Status.ROLLED_BACK, Status.PURGED}:
            execute("UPDATE import_batches SET status = :status WHERE import_id = :id", id=import_id, status=status)
        return import_id

    return make


@pytest.fixture
def make_rolled_back(
    context: Context, publish: Callable[..., str], make_lines: Callable[..., str]
) -> Callable[..., str]:
    """Make a batch of two rows and a rejection, and roll it back."""

    def make(price: float = 100, source: str = "shop") -> str:
        import_id = publish(make_lines(price, 200, 0), source=source)
        roll_back_import(context, import_id, "ana")
        return import_id

    return make


@pytest.fixture
def remaining(count_rows: Callable[..., int]) -> Callable[[str], list[int]]:
    """Count what is left of an import, by table."""
    return lambda import_id: [count_rows(import_id, table) for table in TABLES]


@pytest.fixture
def clean(context: Context) -> Callable[[], None]:
    """Remove the rows of all failed and discarded imports."""

    def run() -> None:
        while clean_next(context):
            pass

    return run


@pytest.fixture
def count_rows(context: Context) -> Callable[..., int]:
    """Count the rows of an import in one table, whatever its state."""

    def count(import_id: str, table: str = "scored_listings") -> int:
        with context.database.reading() as connection:
            query = text(f"SELECT count(*) FROM {table} WHERE import_id = :import_id")
            return int(connection.execute(query, {"import_id": import_id}).scalar_one())

    return count


@pytest.fixture
def moving(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Moving]:
    """Makes installations in a folder of the test's own."""
    made = Moving(tmp_path, lambda: str(request.getfixturevalue("postgres_url")))
    yield made
    made.close()


@pytest.fixture
def source(moving: Moving) -> Context:
    """A SQLite file to move from."""
    return moving.sqlite("source")


@pytest.fixture(params=["sqlite", "postgresql"])
def target(moving: Moving, request: pytest.FixtureRequest) -> Context:
    """An empty database to move to, of either engine."""
    return moving.make(str(request.param), "target")


@pytest.fixture
def small(moving: Moving) -> Context:
    """An empty SQLite file to move to, where the engine does not matter."""
    return moving.sqlite("target")
