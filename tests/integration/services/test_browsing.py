"""Browsing: the walk over imports finds what a plain filter over all visible rows finds, in the same order."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any

import pytest
from sqlalchemy import event

from glyphd.domain.imports import Status
from glyphd.domain.listing import model_key
from glyphd.errors import ImportNotFound, InvalidParameter
from glyphd.ingest.derivation import FACET_VALUES
from glyphd.services.browsing import ListingQuery, Position, browse_listings
from glyphd.services.context import Context
from glyphd.services.running import run_next
from glyphd.services.surveying import survey_models

_NOON = datetime(2026, 7, 1, 12, tzinfo=UTC)
_MODELS = ["H100_PCIE_80GB", "h100 pcie-80gb", "L4", "L40"]
_REGIONS = ["US", "EU", ""]
_SELLERS = ["halbry", "Halbry", "wamatek, Inc", ""]


@pytest.fixture
def rows(context: Context, publish: Callable[..., str], make_import: Callable[[Status], str]) -> list[dict[str, Any]]:
    """Publish three imports of mixed rows beside imports in every other state; return the rows, newest import first."""
    sources = {}
    for number in range(3):
        sources[publish(_batch(number), source=f"s{number % 2}")] = f"s{number % 2}"
    for status in [*(set(Status) - {Status.PUBLISHED, Status.RECEIVED}), Status.RECEIVED]:  # else it would be run
        make_import(status)
    found = [
        {**row, "source": source}
        for import_id, source in reversed(sources.items())
        for row in browse_listings(context, ListingQuery(import_id=import_id), limit=1000).items
    ]
    assert 90 == len(found)
    return found


def _batch(number: int) -> str:
    """Each import lacks some of the values, so that it can be passed over."""
    lines = ["canonical_model,vram_gb,tdp_watts,mig_support,nvlink,price,score,region,seller,condition,seen_at,notes"]
    for index in range(31):
        model = _MODELS[(index + number) % (2 + number % 3)]
        price = "x" if index == 5 else 1000 * number + index * 10 + 5
        seen = (_NOON + timedelta(hours=index + number)).isoformat() if index % 4 else ""
        lines.append(
            f"{model},80,350,7,True,{price},{index * 3},{_REGIONS[index % (1 + number)]},"
            f'"{_SELLERS[index * number % 4]}",{["New", "Used"][index % 7 == 0]},{seen},100% n_{index}'
        )
    return "\n".join(lines)


def _matches(query: ListingQuery, row: dict[str, Any]) -> bool:
    """The same question, asked of one row in the plainest way."""
    seen = row["seen_at"]
    text = [row[name] or "" for name in ("canonical_model", "seller", "notes", "region", "source_url")]
    return all(
        (
            query.source in {None, row["source"]},
            query.model is None or model_key(query.model) == model_key(row["canonical_model"]),
            query.min_price is None or row["price"] >= query.min_price,
            query.max_price is None or row["price"] <= query.max_price,
            query.min_score is None or row["score"] >= query.min_score,
            query.max_score is None or row["score"] <= query.max_score,
            query.region in {None, row["region"]},
            query.seller in {None, row["seller"]},
            query.condition in {None, row["condition"]},
            query.after is None or (seen is not None and seen >= query.after),
            query.before is None or (seen is not None and seen < query.before),
            query.q is None or any(query.q.lower() in part.lower() for part in text),
        )
    )


def _queries() -> Iterator[ListingQuery]:
    choices: dict[str, list[Any]] = {
        "source": [None, "s0", "nobody"],
        "model": [None, "H100-pcie 80GB", "l4", "L40", "A100"],
        "min_price": [None, 1000, 1150.5],
        "max_score": [None, 60, -1],
        "region": [None, "EU"],
        "seller": [None, "Halbry"],
    }
    for values in product(*choices.values()):
        yield ListingQuery(**dict(zip(choices, values, strict=True)))
    for name, value in {
        "max_price": 120, "min_score": 45, "condition": "Used", "q": "N_1", "after": _NOON + timedelta(hours=5),
        "before": _NOON + timedelta(hours=9),
    }.items():  # fmt: skip
        for model in (None, "L4"):
            yield ListingQuery(model=model, **{name: value})
    yield ListingQuery(q="100%")
    yield ListingQuery(q="%")
    yield ListingQuery(q="L4", after=_NOON, before=_NOON + timedelta(hours=20), condition="New")


def test_the_walk_finds_what_a_plain_filter_finds(context: Context, rows: list[dict[str, Any]]) -> None:
    """Whatever is asked: skipping imports by their figures and facets never hides a row, and none is foreign."""
    for query in _queries():
        expected = [_place(row) for row in rows if _matches(query, row)]
        assert expected == [_place(row) for row in browse_listings(context, query, limit=1000).items], query


@pytest.mark.parametrize("limit", [1, 7, 30, 89, 90, 91])
@pytest.mark.parametrize("query", [ListingQuery(), ListingQuery(model="L4"), ListingQuery(region="US", max_price=2100)])
def test_pages_join_to_the_whole(context: Context, rows: list[dict[str, Any]], query: ListingQuery, limit: int) -> None:
    """By cursor and by offset, each listing comes once, in the order of one long page."""
    expected = [_place(row) for row in rows if _matches(query, row)]
    by_cursor: list[tuple[str, int]] = []
    after: Position | None = None
    while True:
        page = browse_listings(context, query, limit=limit, after=after)
        by_cursor += map(_place, page.items)
        after = page.last
        if after is None:
            break
        assert limit == len(page.items)
    assert expected == by_cursor
    by_offset = [
        _place(row)
        for offset in range(0, len(expected) + limit, limit)
        for row in browse_listings(context, query, limit=limit, offset=offset).items
    ]
    assert expected == by_offset


def test_a_page_after_a_cursor_is_not_changed_by_a_newer_import(
    context: Context, rows: list[dict[str, Any]], publish: Callable[..., str]
) -> None:
    """What is published meanwhile comes before the cursor, not into the following pages."""
    first = browse_listings(context, ListingQuery(), limit=40)
    publish(_batch(1), source="later")
    following = browse_listings(context, ListingQuery(), limit=1000, after=first.last)
    assert [_place(row) for row in rows[40:]] == [_place(row) for row in following.items]


@pytest.mark.parametrize("status", sorted(Status))
def test_naming_an_import_shows_it_when_it_is_staged_or_published(
    context: Context, make_import: Callable[[Status], str], status: Status
) -> None:
    """For every other state the answer is empty (G3); without naming it only a published one shows."""
    import_id = make_import(status)
    named = browse_listings(context, ListingQuery(import_id=import_id), limit=10)
    assert ([1, 2] if status in {Status.STAGED, Status.PUBLISHED} else []) == _indices(named.items)
    of_source = browse_listings(context, ListingQuery(import_id=import_id, source="another"), limit=10)
    assert [] == of_source.items
    for query in (ListingQuery(), ListingQuery(model="H100"), ListingQuery(seller="s"), ListingQuery(min_price=1)):
        unnamed = browse_listings(context, query, limit=10)
        assert ([1, 2] if status is Status.PUBLISHED else []) == _indices(unnamed.items)
    models = [summary.model for summary in survey_models(context, limit=10)]
    assert (["H100"] if status is Status.PUBLISHED else []) == models


def test_unknown_ids_are_told_apart(context: Context) -> None:
    """An id that could be one is not found; text that could not is a wrong parameter."""
    with pytest.raises(ImportNotFound):
        browse_listings(context, ListingQuery(import_id="01997c1e-4a00-7d5e-9c39-0f6a4cf0a1b2"), limit=1)
    with pytest.raises(InvalidParameter):
        browse_listings(context, ListingQuery(import_id="latest"), limit=1)


def test_a_field_with_too_many_values_hides_nothing(context: Context, publish: Callable[..., str]) -> None:
    """An import whose sellers were not counted is read when a seller is asked for."""
    header, *rows = _batch(0).splitlines()
    rows = [rows[5].replace('"halbry"', f'"seller {number}"') for number in range(FACET_VALUES + 1)]
    publish("\n".join([header, *[row.replace(",x,", f",{1 + at},") for at, row in enumerate(rows)]]))
    found = browse_listings(context, ListingQuery(seller="seller 7"), limit=10)
    assert [8] == _indices(found.items)


def test_imports_that_cannot_match_are_not_read(context: Context, rows: list[dict[str, Any]]) -> None:
    """A seller that one import names costs the rows of that import only."""
    statements: list[str] = []

    def record(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        statements.extend([statement] * ("FROM scored_listings" in statement))

    event.listen(context.database.engine, "before_cursor_execute", record)
    browse_listings(context, ListingQuery(region="EU", source="s1"), limit=10)
    browse_listings(context, ListingQuery(seller="nobody"), limit=10)
    browse_listings(context, ListingQuery(min_price=1e6), limit=10)
    browse_listings(context, ListingQuery(model="A100"), limit=10)
    assert 1 == len(statements)


def test_one_answer_is_of_one_state(
    context: Context, receive: Callable[..., str], publish: Callable[..., str], make_lines: Callable[..., str]
) -> None:
    """An import that is published between two statements of a read is not in its answer."""
    publish(make_lines(1, model="old"))
    receive(make_lines(2, model="new"))
    first = iter([True])

    def publish_meanwhile(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if "FROM import_model_stats" in statement and next(first, False):
            run_next(context, "worker")

    event.listen(context.database.engine, "before_cursor_execute", publish_meanwhile)
    found = survey_models(context, limit=10)
    assert ["old"] == [summary.model for summary in found]
    assert ["new"] == [summary.model for summary in survey_models(context, limit=10)]


def _place(row: dict[str, Any]) -> tuple[str, int]:
    return row["import_id"], row["import_index"]


def _indices(rows: list[dict[str, Any]]) -> list[int]:
    return [row["import_index"] for row in rows]
