"""Follow offers through time: every sighting of one, and what moved between the successive sightings of all of them.

Moves are derived, newest batch first, a stretch of offers at a time, until a page is full. A page whose filters let
little through is cut short by the rows it has read, so that no request reads the whole archive.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from itertools import groupby
from typing import NamedTuple

from sqlalchemy import Connection

from glyphd.domain.clock import microseconds
from glyphd.domain.history import EarlierSighting, Seen, Sighting, change, change_pct, has_moved, pair_sightings
from glyphd.domain.identity import listing_key_hex
from glyphd.domain.listing import model_key
from glyphd.services.context import Context
from glyphd.services.periods import Period, Place, nth_at_each_moment, read_period, views_within
from glyphd.store import sightings, statistics
from glyphd.store.sightings import FIRST_OFFER, Offer, SightingRow, end_of_stretch, next_offer

STRETCH_ROWS = 2_000
PAGE_ROWS = 50_000
STATEMENT_ROWS = 100
"""As many rows are read in the time that a statement takes by itself."""

ALL_AT_ONCE = 1000


class MovePlace(NamedTuple):
    """Where a page of moves ended: in which batch view, at which offer, and how many pairs of it are done."""

    moment: int
    source_version: int
    batch_id: str
    model: str = FIRST_OFFER[0]
    listing_key: int = FIRST_OFFER[1]
    pairs: int = 0


@dataclass(frozen=True, slots=True)
class MoveQuery:
    """Which moves: of what period, model (ignoring case, spaces, `-`, `_`) and region, and of how many percent."""

    period: Period = field(default_factory=Period)
    model: str | None = None
    region: str | None = None
    min_price_change_pct: float | None = None


@dataclass(frozen=True, slots=True)
class _View:
    """One batch view: its source, its place in time, and its imports."""

    source: str
    observed_at: datetime
    place: tuple[int, int, str]
    import_ids: Sequence[str]


class _Move(NamedTuple):
    """A pair of sightings that differ, and which pair of its offer it is."""

    offer: Offer
    number: int
    now: Seen
    before: Seen


def follow_listing(
    context: Context, listing_key: int, *, limit: int, after: Place | None = None
) -> tuple[list[Sighting], Place | None]:
    """Return the sightings of one offer, newest first, and where the page ended; None on the last one."""
    with context.database.reading() as connection:
        views = _views(connection, Period())
        import_ids = [import_id for view in reversed(views) for import_id in view.import_ids]
        model = sightings.model_of_offer(connection, import_ids, listing_key)
        rows = sightings.sightings_of(connection, import_ids, model, [listing_key]) if model is not None else []
    placed = nth_at_each_moment(reversed(list(_told(views, rows))), key=lambda sighting: sighting.observed_at)
    left = [each for each in placed if after is None or (-each[0].moment, each[0].nth) > (-after.moment, after.nth)]
    return [sighting for _, sighting in left[:limit]], left[limit - 1][0] if len(left) > limit else None


def _told(views: Sequence[_View], rows: Iterable[SightingRow]) -> Iterator[Sighting]:
    """Tell the sightings of one offer in order of time, each with the one before it in its source."""
    seen = defaultdict(list)
    for row in rows:
        seen[row.import_id].append(row)
    last: dict[str, tuple[_View, list[Seen]]] = {}
    for view in views:
        found = [row for import_id in view.import_ids for row in seen[import_id]]
        if found:
            before, earlier = last.get(view.source, (view, []))
            now = _as_seen(found)
            offer = found[0].canonical_model, found[0].listing_key
            for later, previous in pair_sightings(now, earlier):
                yield _sighting(view, offer, later, before, previous)
            last[view.source] = view, now


def follow_moves(
    context: Context, query: MoveQuery, *, limit: int, after: MovePlace | None = None
) -> tuple[list[Sighting], MovePlace | None]:
    """Return price and score moves, newest first, and where the page ended; None on the last one.

    A page may have fewer of them than ``limit``, and not be the last one.
    """
    found: list[Sighting] = []
    last: MovePlace | None = None
    with context.database.reading() as connection:
        walk = _Walk(connection, query)
        for place, move in walk.moves(after):
            if move is None:
                if walk.rows_read >= PAGE_ROWS:
                    return found, place
            elif len(found) == limit:
                return found, last
            else:
                found.append(move)
                last = place
    return found, None


def all_moves(context: Context, query: MoveQuery) -> Iterator[Sighting]:
    """Yield moves, newest first, page by page: each page is of one state of the database."""
    page, after = follow_moves(context, query, limit=ALL_AT_ONCE)
    yield from page
    while after is not None:
        page, after = follow_moves(context, query, limit=ALL_AT_ONCE, after=after)
        yield from page


def read_query(
    *,
    model: str | None = None,
    region: str | None = None,
    min_price_change_pct: float | None = None,
    **period: str | None,
) -> MoveQuery:
    """Read which moves are meant, moments in ISO 8601. Raises InvalidParameter."""
    return MoveQuery(read_period(**period), model, region, min_price_change_pct)


class _Walk:
    """Goes through batch views, newest first, and through each by model and offer."""

    def __init__(self, connection: Connection, query: MoveQuery) -> None:
        self.rows_read = 0
        self._connection = connection
        self._query = query
        named = query.model is not None
        self._models = statistics.models_matching(connection, model_key(query.model or "")) if named else None
        self._chains: Mapping[str, list[_View]] = defaultdict(list)
        for view in reversed(_views(connection, Period(source=query.period.source))):
            self._chains[view.source].append(view)

    def moves(self, after: MovePlace | None) -> Iterator[tuple[MovePlace, Sighting | None]]:
        """Yield moves and their places; without a move, a place where nothing is lost if the page ends there."""
        steps = [
            (view, number)
            for chain in self._chains.values()
            for number, view in enumerate(chain, start=1)
            if self._query.period.has(view.observed_at) and (after is None or view.place <= after[:3])
        ]
        for view, number in sorted(steps, key=lambda step: step[0].place, reverse=True):
            yield MovePlace(*view.place), None
            older = self._chains[view.source][number:]
            if older and self._models != []:
                resumed = after is not None and view.place == after[:3]
                yield from self._moves_in(view, older, after if after and resumed else MovePlace(*view.place))

    def _moves_in(
        self, view: _View, older: Sequence[_View], begin: MovePlace
    ) -> Iterator[tuple[MovePlace, Sighting | None]]:
        offer: Offer | None = (begin.model, begin.listing_key)
        while offer is not None:
            end = self._reach(view, partial(end_of_stretch, begin=offer, models=self._models, rows=STRETCH_ROWS))
            later = _by_offer(self._read(view, offer, end))
            for place, move in self._kept(view, later, self._last_seen(later, older, offer, end)):
                if place > begin:
                    yield place, move
            offer = end and self._reach(view, partial(next_offer, past=end, models=self._models))
            if offer is not None:
                yield MovePlace(*view.place, *offer), None

    def _reach(self, view: _View, ask: Callable[[Connection, str], Offer | None]) -> Offer | None:
        """Return the least offer that the imports of a view answer."""
        answers = [ask(self._connection, import_id) for import_id in view.import_ids]
        return min((offer for offer in answers if offer is not None), default=None)

    def _read(self, view: _View, begin: Offer, end: Offer | None) -> list[SightingRow]:
        rows = sightings.read_stretch(self._connection, view.import_ids, begin, end, self._models)
        self.rows_read += STATEMENT_ROWS + len(rows)
        return rows

    def _last_seen(
        self, later: Mapping[Offer, list[SightingRow]], older: Sequence[_View], begin: Offer, end: Offer | None
    ) -> dict[Offer, tuple[_View, list[SightingRow]]]:
        """Return where each offer was last seen before: mostly in the view before, else further and further back."""
        before = _by_offer(self._read(older[0], begin, end))
        found = {offer: (older[0], seen) for offer, seen in before.items() if offer in later}
        start, size = 1, 1
        while start < len(older) and len(found) < len(later):
            pending = sorted(later.keys() - found.keys())
            found |= self._probe(pending, older[start : start + size])
            start, size = start + size, size * 2
        return found

    def _probe(self, offers: Sequence[Offer], views: Sequence[_View]) -> dict[Offer, tuple[_View, list[SightingRow]]]:
        view_of = {import_id: view for view in views for import_id in view.import_ids}
        found: dict[Offer, tuple[_View, list[SightingRow]]] = {}
        for model, named in groupby(offers, key=lambda offer: offer[0]):
            keys = [key for _, key in named]
            self.rows_read += len(keys) * len(view_of)
            rows = sightings.sightings_of(self._connection, list(view_of), model, keys)
            for offer, seen in _by_offer(rows).items():
                newest = max((view_of[row.import_id] for row in seen), key=lambda view: view.place)
                found[offer] = newest, [row for row in seen if view_of[row.import_id] is newest]
        return found

    def _kept(
        self,
        view: _View,
        later: Mapping[Offer, list[SightingRow]],
        earlier: Mapping[Offer, tuple[_View, list[SightingRow]]],
    ) -> Iterator[tuple[MovePlace, Sighting]]:
        """Yield the moves that are asked for; what is not is left out before it costs anything to tell."""
        moves: Iterable[_Move] = (
            _Move(offer, number, now, before)
            for offer in sorted(later.keys() & earlier.keys())
            for number, (now, before) in enumerate(pair_sightings(_as_seen(later[offer]), _as_seen(earlier[offer][1])))
            if before is not None and has_moved(now, before) and self._is_enough(now, before)
        )
        if self._query.region is not None:
            moves = self._in_region(list(moves), self._query.region)
        for offer, number, now, before in moves:
            yield MovePlace(*view.place, *offer, number + 1), _sighting(view, offer, now, earlier[offer][0], before)

    def _is_enough(self, now: Seen, before: Seen) -> bool:
        least = self._query.min_price_change_pct
        return least is None or abs(change_pct(now.price, before.price) or 0) >= least

    def _in_region(self, moves: Sequence[_Move], region: str) -> list[_Move]:
        indexes = defaultdict(list)
        for move in moves:
            indexes[move.now.import_id].append(move.now.import_index)
        inside = {
            import_id: sightings.rows_in_region(self._connection, import_id, some, region)
            for import_id, some in indexes.items()
        }
        return [move for move in moves if move.now.import_index in inside[move.now.import_id]]


def _views(connection: Connection, period: Period) -> list[_View]:
    """Return the batch views of a period in order of time."""
    views = []
    for batch_id, entries in groupby(views_within(connection, period), key=lambda entry: entry.batch_id):
        own = list(entries)
        place = microseconds(own[0].moment), own[0].source_version or 0, batch_id
        views.append(_View(own[0].source, own[0].moment, place, [entry.import_id for entry in own]))
    return sorted(views, key=lambda view: view.place)


def _by_offer(rows: Iterable[SightingRow]) -> dict[Offer, list[SightingRow]]:
    found = defaultdict(list)
    for row in rows:
        found[row.canonical_model, row.listing_key].append(row)
    return found


def _as_seen(rows: Iterable[SightingRow]) -> list[Seen]:
    return [Seen(row.price, row.score, row.import_id, row.import_index) for row in rows]


def _sighting(view: _View, offer: Offer, now: Seen, before_view: _View, before: Seen | None) -> Sighting:
    """Tell a sighting of an offer in a view, and the one before it with what moved since."""
    model, listing_key = offer
    earlier = before and EarlierSighting(
        before.import_id, before.import_index, before_view.observed_at, before.price, before.score
    )
    return Sighting(
        import_id=now.import_id,
        import_index=now.import_index,
        source=view.source,
        observed_at=view.observed_at,
        model=model,
        listing_key=listing_key_hex(listing_key),
        price=now.price,
        score=now.score,
        price_change=before and change(now.price, before.price),
        price_change_pct=before and change_pct(now.price, before.price),
        score_change=before and change(now.score, before.score),
        earlier=earlier,
    )
