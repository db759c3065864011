"""The one way to ask for the time, so that tests can answer."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """Return the present moment in UTC."""
    return datetime.now(UTC)


_EPOCH = datetime.fromtimestamp(0, UTC)
_INSTANT = timedelta(microseconds=1)


def microseconds(moment: datetime) -> int:
    """Return a moment as the microseconds since 1970."""
    return (moment - _EPOCH) // _INSTANT


def moment_at(instant: int) -> datetime:
    """Return the moment so many microseconds after 1970 began."""
    return _EPOCH + instant * _INSTANT
