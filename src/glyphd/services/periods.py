"""Stretches of time, and places in what is ordered by time, that stay right when batches come late."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import NamedTuple, TypeVar

from sqlalchemy import Connection

from glyphd.domain.clock import microseconds
from glyphd.errors import InvalidParameter
from glyphd.services.options import parse_moment
from glyphd.store import visibility
from glyphd.store.visibility import VisibleImport

T = TypeVar("T")

_INSTANT = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Period:
    """Which batches are meant: of one source, or all; observed from ``since`` to before ``until``, and by ``as_of``."""

    since: datetime | None = None
    until: datetime | None = None
    source: str | None = None
    as_of: datetime | None = None

    @property
    def end(self) -> datetime | None:
        """Return the moment that all of it is before."""
        return _earlier(self.until, _just_past(self.as_of))

    def has(self, moment: datetime) -> bool:
        """Tell whether what was observed at a moment is of it."""
        return (self.since is None or self.since <= moment) and (self.end is None or moment < self.end)


def read_period(
    *, since: str | None = None, until: str | None = None, source: str | None = None, as_of: str | None = None
) -> Period:
    """Read a period, its moments in ISO 8601. Raises InvalidParameter, also for one that nothing can be in."""
    named = {"since": since, "until": until, "as_of": as_of}
    moments = {name: parse_moment(name, text) for name, text in named.items() if text is not None}
    if "since" in moments and "until" in moments and moments["since"] > moments["until"]:
        raise InvalidParameter("since is above until.", parameter="since")
    return Period(source=source, **moments)


class Place(NamedTuple):
    """Where a page ended: the moment, in microseconds since 1970, and how many items of that moment there have been."""

    moment: int
    nth: int


def views_within(connection: Connection, period: Period) -> list[VisibleImport]:
    """Return the views of the batches of a period, in order of time."""
    return visibility.batch_views(connection, source=period.source, since=period.since, until=period.end)


def nth_at_each_moment(items: Iterable[T], key: Callable[[T], datetime]) -> Iterator[tuple[Place, T]]:
    """Give items that come in order of time their places."""
    for moment, together in groupby(items, key=key):
        instant = microseconds(moment)
        for nth, item in enumerate(together, start=1):
            yield Place(instant, nth), item


def _just_past(moment: datetime | None) -> datetime | None:
    try:
        return None if moment is None else moment + _INSTANT
    except OverflowError:  # the last moment there is: everything is before what follows it
        return None


def _earlier(one: datetime | None, other: datetime | None) -> datetime | None:
    return min(filter(None, (one, other)), default=None)
