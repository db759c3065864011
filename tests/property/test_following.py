"""Deltas are held against a plain oracle, page by page, while batches come late, are amended, go and come back."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import zip_longest
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from glyphd.api.paging import encode_cursor, move_place_of
from glyphd.domain.history import Sighting
from glyphd.domain.identity import hash_identity, identity_text, listing_key_hex
from glyphd.domain.listing import model_key
from glyphd.services import following
from glyphd.services.context import Context
from glyphd.services.following import MoveQuery, follow_moves
from glyphd.services.options import ImportOptions
from glyphd.services.periods import Period
from glyphd.services.receiving import receive_import, store_artifact
from glyphd.services.reporting import report_import
from glyphd.services.rolling_back import restore_import, roll_back_import
from glyphd.services.running import run_next

START = datetime(2026, 7, 1, tzinfo=UTC)
HEADER = "canonical_model,vram_gb,tdp_watts,mig_support,nvlink,price,score,region,source_url"


class Row(NamedTuple):
    """A listing as it is submitted; offer and model make its identity, so that several rows may share it."""

    offer: str
    model: str
    region: str
    price: int
    score: int


class Told(NamedTuple):
    """A sighting as the oracle knows it, in the order in which sightings of one offer are paired."""

    price: float
    score: float
    import_id: str
    import_index: int
    region: str
    day: int


@dataclass
class Crawl:
    """A batch and its amendments, by import_id; ``away`` when it is rolled back."""

    source: str
    day: int
    version: int
    imports: dict[str, list[Row]] = field(default_factory=dict)
    away: bool = False

    @property
    def place(self) -> tuple[int, int, str]:
        """What crawls are ordered by."""
        return self.day, self.version, next(iter(self.imports))

    def offers(self) -> dict[tuple[str, int], list[Told]]:
        """Return its sightings by model and listing_key."""
        found: dict[tuple[str, int], list[Told]] = defaultdict(list)
        for import_id, rows in self.imports.items():
            for index, row in enumerate(rows, start=1):
                key = hash_identity(identity_text(row.model, f"https://x.example/{row.offer}", None, None, None))
                told = Told(row.price, row.score, import_id, index, row.region, self.day)
                found[row.model, key].append(told)
        return found


class Asked(NamedTuple):
    """The filters of one query; days are counted from the start."""

    source: str | None = None
    model: str | None = None
    region: str | None = None
    least: float | None = None
    since: int | None = None
    until: int | None = None

    def query(self) -> MoveQuery:
        """Return it as the service takes it."""
        period = Period(_day(self.since), _day(self.until), self.source)
        return MoveQuery(period, self.model, self.region, self.least)

    def wants(self, crawl: Crawl, model: str, now: Told, pct: float) -> bool:
        """Tell whether a move is asked for."""
        return (
            self.source in {None, crawl.source}
            and (self.model is None or model_key(self.model) == model_key(model))
            and self.region in {None, now.region}
            and (self.least is None or abs(pct) >= self.least)
            and (self.since is None or self.since <= crawl.day)
            and (self.until is None or crawl.day < self.until)
        )


ROWS = st.lists(
    st.builds(
        Row,
        offer=st.sampled_from("ab"),
        model=st.sampled_from(["A100", "H-100"]),
        region=st.sampled_from(["US", "EU"]),
        price=st.integers(1, 4),
        score=st.integers(1, 2),
    ),
    min_size=1,
    max_size=7,
)
BATCHES = st.lists(st.tuples(st.sampled_from(["x", "y"]), st.integers(0, 4), ROWS), min_size=2, max_size=5)
ASKED = st.builds(
    Asked,
    source=st.sampled_from([None, "x", "nobody"]),
    model=st.sampled_from([None, "h 100", "L4"]),
    region=st.sampled_from([None, "EU"]),
    least=st.sampled_from([None, 0, 50, 100]),
    since=st.none() | st.integers(0, 2),
    until=st.none() | st.integers(2, 5),
)


def _day(number: int | None) -> datetime | None:
    return None if number is None else START + timedelta(days=number)


def submit(context: Context, rows: list[Row], **options: Any) -> str:
    """Import rows, and return the import_id."""
    lines = [
        f"{row.model},80,350,7,1,{row.price},{row.score},{row.region},https://x.example/{row.offer}" for row in rows
    ]
    with context.artifacts.writing() as writer:
        writer.write("\n".join([HEADER, *lines]).encode())
        artifact = store_artifact(writer, "text/csv", None)
    import_id = receive_import(context, ImportOptions(**options), [artifact], "test")
    assert run_next(context, "worker")
    return import_id


def arrive(context: Context, source: str, day: int, rows: list[Row]) -> Crawl:
    """Import a crawl that was made on a day."""
    import_id = submit(context, rows, source=source, observed_at=_day(day))
    return Crawl(source, day, report_import(context, import_id).source_version or 0, {import_id: rows})


def _rounded(change: float) -> float:
    """Return a change as it is told: to four decimals."""
    return round(change * 10_000) / 10_000


def expected(crawls: list[Crawl], asked: Asked) -> list[tuple[Any, ...]]:
    """Return the moves between successive sightings in crawls that are not away, newest first."""
    last: dict[tuple[str, str, int], list[Told]] = {}
    newest_first: list[tuple[Any, ...]] = []
    for crawl in sorted((each for each in crawls if not each.away), key=lambda each: each.place):
        found = []
        for (model, key), seen in sorted(crawl.offers().items()):
            earlier = last.get((crawl.source, model, key), [])
            last[crawl.source, model, key] = seen
            for now, before in zip_longest(sorted(seen), sorted(earlier)):
                if now is None or before is None or now[:2] == before[:2]:
                    continue
                pct = _rounded((now.price - before.price) / before.price * 100)
                if asked.wants(crawl, model, now, pct):
                    found.append((crawl.source, model, listing_key_hex(key), now[:4], before[:4], before.day, pct))
        newest_first = found + newest_first
    return newest_first


def as_expected(move: Sighting) -> tuple[Any, ...]:
    """Return a move as the oracle tells it."""
    before = move.earlier
    assert before is not None
    moved = _rounded(move.price - before.price), _rounded(move.score - before.score)
    assert moved == (move.price_change, move.score_change)
    return (
        move.source,
        move.model,
        move.listing_key,
        (move.price, move.score, move.import_id, move.import_index),
        (before.price, before.score, before.import_id, before.import_index),
        (before.observed_at - START).days,
        move.price_change_pct,
    )


def pages(context: Context, asked: Asked, limit: int) -> Iterator[tuple[Any, ...]]:
    """Yield the moves of one page after the other, each begun at the cursor of the one before, which is a new one."""
    cursor: str | None = None
    known: set[str] = set()
    while True:
        page, last = follow_moves(context, asked.query(), limit=limit, after=move_place_of(cursor))
        assert len(page) <= limit
        yield from map(as_expected, page)
        if last is None:
            return
        cursor = encode_cursor(*last)
        assert cursor not in known
        known.add(cursor)


@pytest.fixture
def cut(monkeypatch: pytest.MonkeyPatch) -> Callable[[int, int], None]:
    """Set of how many rows a stretch is, and how many a page may read."""

    def run(stretch_rows: int, page_rows: int) -> None:
        monkeypatch.setattr(following, "STRETCH_ROWS", stretch_rows)
        monkeypatch.setattr(following, "PAGE_ROWS", page_rows)

    return run


def change(context: Context, crawls: list[Crawl], data: st.DataObject) -> None:
    """Roll a crawl back, restore it, or amend it while it shows."""
    crawl = data.draw(st.sampled_from(crawls))
    batch = next(iter(crawl.imports))
    if crawl.away:
        restore_import(context, batch, "ana")
        crawl.away = False
    elif len(crawl.imports) == 1 and data.draw(st.booleans()):
        rows = data.draw(ROWS)
        crawl.imports[submit(context, rows, parent_import_id=batch)] = rows
    else:
        roll_back_import(context, batch, "ana")
        crawl.away = True


@given(batches=BATCHES, data=st.data())
@settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_deltas_are_those_of_the_oracle(
    context: Context, cut: Callable[[int, int], None], batches: list[Any], data: st.DataObject
) -> None:
    """Whatever the filters, the size of a page, of a stretch, and what a page may read: every move once, in order."""
    crawls: list[Crawl] = []
    try:
        crawls.extend(arrive(context, *batch) for batch in batches)
        for _ in range(data.draw(st.integers(1, 4))):
            cut(data.draw(st.integers(1, 4)), data.draw(st.sampled_from([1, 150, 400, 10**6])))
            for asked in (Asked(), data.draw(ASKED)):
                wanted = expected(crawls, asked)
                for limit in range(1, len(wanted) + 2):
                    assert wanted == list(pages(context, asked, limit))
            change(context, crawls, data)
    finally:
        for crawl in crawls:
            if not crawl.away:
                roll_back_import(context, next(iter(crawl.imports)), "ana")


def test_a_page_ends_past_an_offer_of_many_rows(context: Context, cut: Callable[[int, int], None]) -> None:
    """Rows that share one key may be more than a stretch has and than a page may read."""
    prices = [Row("a", "A100", "US", price, 1) for price in range(1, 9)]
    crawls = [arrive(context, "x", 0, prices), arrive(context, "x", 1, [each._replace(score=2) for each in prices])]
    cut(2, 1)

    wanted = expected(crawls, Asked())
    assert 8 == len(wanted)
    assert wanted == list(pages(context, Asked(), 3))
    assert [] == list(pages(context, Asked(region="EU"), 3))
