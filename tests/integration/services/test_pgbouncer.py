"""Everything works through pgbouncer in transaction mode: nothing is kept in a session between two transactions."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from sqlalchemy import text

from glyphd.bootstrap import build_context
from glyphd.domain.imports import ImportFilters, Status
from glyphd.services.browsing import ListingQuery, browse_listings
from glyphd.services.cleaning import clean_next
from glyphd.services.context import Context
from glyphd.services.discarding import discard_import
from glyphd.services.inspecting import inspect_rejections
from glyphd.services.options import ImportOptions
from glyphd.services.receiving import receive_import, store_artifact
from glyphd.services.reporting import report_import, report_imports
from glyphd.services.running import claim_next, run_next
from glyphd.services.surveying import survey_models, survey_sources
from glyphd.settings import Settings
from glyphd.store import schema
from tests.engines import Databases, only_postgresql, require_or_skip
from tests.pgbouncer import CONNECTIONS, pgbouncer
from tools.postgres import PostgresMissingError

pytestmark = only_postgresql


@pytest.fixture
def pooled_url(databases: Databases, postgres_url: str, tmp_path: Path) -> Iterator[str]:
    """An empty database, behind pgbouncer."""
    folder = tmp_path / "pgbouncer"
    folder.mkdir()
    for parent in (tmp_path, *tmp_path.parents[:2]):
        parent.chmod(0o755)  # the unprivileged user has to come through
    url = urlsplit(databases.empty(tmp_path))
    try:
        with pgbouncer(postgres_url, folder) as port:
            yield url._replace(netloc=f"{url.username}@127.0.0.1:{port}").geturl()
    except PostgresMissingError as missing:
        require_or_skip(str(missing))


@pytest.fixture
def context(pooled_url: str, tmp_path: Path) -> Iterator[Context]:
    """An installation behind pgbouncer, migrated through it."""
    context = build_context(Settings(database_url=pooled_url, artifacts_url=str(tmp_path / "artifacts")))
    schema.upgrade(context.database.engine)
    yield context
    context.database.dispose()


def _receive(context: Context, content: str, source: str) -> str:
    with context.artifacts.writing() as writer:
        writer.write(content.encode())
        artifact = store_artifact(writer, "text/csv", None)
    return receive_import(context, ImportOptions(source=source), [artifact], "test")


def test_the_life_of_imports(context: Context, make_lines: Callable[..., str]) -> None:
    """Received, run, published, discarded, cleaned up and read, by more clients at once than there are connections."""
    batch = make_lines(*range(1, 12_000), 0)
    with ThreadPoolExecutor(3 * CONNECTIONS) as pool:
        ids = list(pool.map(lambda number: _receive(context, batch, f"s{number % 2}"), range(9)))
        list(
            pool.map(lambda worker: [None for _ in iter(lambda: run_next(context, worker), False)], map(str, range(4)))
        )
        pages = list(pool.map(lambda _: browse_listings(context, ListingQuery(q="h100"), limit=50).items, range(20)))
    assert [Status.PUBLISHED] * 9 == [report_import(context, import_id).status for import_id in ids]
    assert [11_999] * 9 == [report_import(context, import_id).count for import_id in ids]
    versions = sorted(
        report.source_version or 0 for report in report_imports(context, ImportFilters(source="s0"), limit=9)[0]
    )
    assert [1, 2, 3, 4, 5] == versions
    assert [50] * 20 == [len(page) for page in pages]
    assert [2, 1] == [len(survey_sources(context)), len(survey_models(context, limit=9))]
    assert [12_000] == [found.import_index for found in inspect_rejections(context, ids[0], limit=9)[0]]
    unwanted = _receive(context, batch, "s0")
    assert claim_next(context, "worker") is not None
    discard_import(context, unwanted, "test")
    assert clean_next(context)
    assert schema.downgrade(context.database.engine, 3)
    assert schema.upgrade(context.database.engine)


def test_no_session_is_left_changed(context: Context, make_lines: Callable[..., str]) -> None:
    """Whoever is lent a connection next finds it as the server has it by default."""
    _receive(context, make_lines(1, 2), "s")
    run_next(context, "worker")
    with ExitStack() as stack:  # every connection of the server has had such a transaction last
        for work in [stack.enter_context(context.database.writing(durable=False)) for _ in range(CONNECTIONS)]:
            work.commit()
    names = ["TimeZone", "synchronous_commit", "statement_timeout", "idle_in_transaction_session_timeout"]
    names += ["default_transaction_isolation", "transaction_read_only"]
    with context.database.engine.connect() as one, context.database.engine.connect() as other:
        for connection in (one, other):
            connection.execute(text("BEGIN"))  # holds a connection of the server, each its own
        for name in names:
            default = text("SELECT reset_val FROM pg_settings WHERE name = :name")
            for connection in (one, other):
                assert (
                    connection.execute(default, {"name": name}).scalar_one()
                    == connection.execute(
                        text("SELECT setting FROM pg_settings WHERE name = :name"), {"name": name}
                    ).scalar_one()
                ), name
        held = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"
        assert 0 == one.execute(text(held)).scalar_one()
        assert 0 == one.execute(text("SELECT count(*) FROM pg_prepared_statements")).scalar_one()
