"""How an engine answers the reads that must not depend on the archive's size: by an index prefix, without a scan."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import event

from glyphd.services.browsing import ListingQuery, Position, browse_listings
from glyphd.services.cleaning import clean_next
from glyphd.services.context import Context
from glyphd.services.explaining import find_record
from glyphd.services.reporting import report_import
from glyphd.services.running import claim_next
from glyphd.services.surveying import survey_models

from .plans import plan_of

_BIG = ("scored_listings", "sightings", "import_rejections", "import_model_stats", "import_facets")


@pytest.fixture
def explain(context: Context) -> Callable[..., list[str]]:
    """Do something, and return how the engine went about each statement of it that concerns rows."""

    def run(action: Callable[[], Any], **allowed: bool) -> list[str]:
        plans: list[str] = []

        def record(_connection: Any, cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
            if statement.startswith(("SELECT", "DELETE")):
                found = plan_of(cursor, statement, parameters, **allowed)
                plans.extend(access for access in found if any(table in access for table in _BIG))

        event.listen(context.database.engine, "before_cursor_execute", record)
        action()
        event.remove(context.database.engine, "before_cursor_execute", record)
        return plans

    return run


@pytest.mark.parametrize(
    "query",
    [
        ListingQuery(),
        ListingQuery(min_price=1, max_score=99),
        ListingQuery(model="H100"),
        ListingQuery(model="H100", region="x"),
        ListingQuery(q="H100"),
        ListingQuery(seller="nobody"),
    ],
)
def test_a_page_is_read_by_prefix(
    context: Context, publish_one: Callable[[], str], explain: Callable[..., list[str]], query: ListingQuery
) -> None:
    """The first page and the ones after it, by cursor and by offset."""
    import_id = publish_one()
    named = ListingQuery(**{name: getattr(query, name) for name in query.__slots__} | {"import_id": import_id})
    plans = explain(lambda: browse_listings(context, query, limit=10))
    plans += explain(lambda: browse_listings(context, named, limit=10))
    plans += explain(lambda: browse_listings(context, query, limit=10, after=Position(1, 0)))
    plans += explain(lambda: browse_listings(context, query, limit=10, offset=5))
    assert plans
    assert [] == [plan for plan in plans if not _by_prefix(plan)]


def test_a_cursor_does_not_read_what_is_before_it(
    context: Context, publish_one: Callable[[], str], explain: Callable[..., list[str]]
) -> None:
    """The position is part of the prefix."""
    publish_one()
    plans = explain(lambda: browse_listings(context, ListingQuery(), limit=10, after=Position(1, 0)))
    assert any("import_id=? AND import_index>?" in plan for plan in plans), plans


def test_a_model_is_found_through_the_sightings(
    context: Context, publish_one: Callable[[], str], explain: Callable[..., list[str]]
) -> None:
    """Import and model are the prefix: other models of the import are not read."""
    publish_one()
    plans = explain(lambda: browse_listings(context, ListingQuery(model="H100"), limit=10))
    assert any("sightings" in plan and "import_id=? AND canonical_model=?" in plan for plan in plans), plans


def test_models_reports_and_cleaning_go_by_prefix(
    context: Context, publish_one: Callable[[], str], explain: Callable[..., list[str]]
) -> None:
    """Nothing that is done beside imports reads other imports' rows."""
    import_id = publish_one()
    plans = explain(lambda: survey_models(context, limit=10))
    plans += explain(lambda: report_import(context, import_id))
    with context.database.writing() as work:
        work.connection.exec_driver_sql("UPDATE import_batches SET status = 'discarded', rows_to_remove = true")
        work.commit()
    plans += explain(lambda: clean_next(context))
    assert plans
    assert [] == [plan for plan in plans if not _by_prefix(plan)]


def test_a_row_is_found_by_its_number(
    context: Context, publish_one: Callable[[], str], explain: Callable[..., list[str]]
) -> None:
    """A number that somebody has from an export or a page is looked up, not looked for."""
    import_id = publish_one()
    number = str(browse_listings(context, ListingQuery(), limit=1).items[0]["id"])
    plans = explain(lambda: find_record(context, number), bitmaps=True)
    assert (import_id, 1) == find_record(context, number)
    assert ["SEARCH scored_listings"] == [" ".join(plan.split()[:2]) for plan in plans]
    assert "id=?" in plans[0] or "rowid=?" in plans[0]


def test_waiting_is_light(context: Context, publish_one: Callable[[], str]) -> None:
    """A worker that looks for work every 50 ms reads the ledger by an index, and takes no turn to write."""
    publish_one()
    plans: list[str] = []

    def record(_connection: Any, cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if statement.startswith("SELECT"):
            plans.extend(plan_of(cursor, statement, parameters))
        assert not statement.startswith(("BEGIN IMMEDIATE", "BEGIN;"))

    event.listen(context.database.engine, "before_cursor_execute", record)
    claim_next(context, "worker")
    clean_next(context)
    assert [] == [plan for plan in plans if plan.startswith("SCAN") and "USING INDEX" not in plan]


def _by_prefix(plan: str) -> bool:
    return plan.startswith("SEARCH") and ("import_id=?" in plan or "rowid=?" in plan)
