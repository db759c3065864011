"""Filters of the templates: figures grouped, moments relative with the exact UTC beside them."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import humanize
from markupsafe import Markup

NOTHING = "—"


def usd(value: float | None) -> str:
    """Return a price in USD."""
    return NOTHING if value is None else f"${value:,.2f}".replace("$-", "-$")


def count(value: int | None) -> str:
    """Return a number of things, its thousands grouped."""
    return NOTHING if value is None else f"{value:,}"


def rows(value: int) -> str:
    """Return a number of rows in words."""
    return f"{value:,} {'row' if value == 1 else 'rows'}"


def figure(value: float | None) -> str:
    """Return a figure that is no price, with at most four decimals."""
    return NOTHING if value is None else f"{value:,.4f}".rstrip("0").rstrip(".")


def percent(value: float | None) -> str:
    """Return a share of 1 as a percentage."""
    return NOTHING if value is None else f"{value * 100:,.1f} %"


def signed_percent(value: float | None) -> str:
    """Return a move, given in percent, with its sign."""
    return NOTHING if value is None else f"{value:+,.2f} %"


def signed_share(value: float | None) -> str:
    """Return a move, given as a share of 1, with its sign."""
    return signed_percent(None if value is None else value * 100)


def size(value: int | None) -> str:
    """Return a number of bytes in the unit that suits it."""
    return NOTHING if value is None else humanize.naturalsize(value, binary=True)


def moment(value: datetime | None) -> str:
    """Return how long ago a moment is, with the moment itself (UTC) for machines and on hover."""
    if value is None:
        return NOTHING
    exact = value.astimezone(UTC)
    told = humanize.naturaltime(datetime.now(UTC) - exact)
    return Markup('<time datetime="{}" title="{}">{}</time>').format(
        exact.isoformat(timespec="seconds"), f"{exact:%Y-%m-%d %H:%M:%S} UTC", told
    )


def exact_moment(value: datetime | None) -> str:
    """Return a moment in UTC, to the second."""
    return NOTHING if value is None else f"{value.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def words(value: str) -> str:
    """Return a slug as words: `rolled_back` as `rolled back`."""
    return value.replace("_", " ")


def segment(value: str) -> str:
    """Return text as one segment of an address, whatever it holds."""
    return quote(value, safe="")


FILTERS: dict[str, Callable[..., Any]] = {
    each.__name__: each
    for each in (
        usd,
        count,
        figure,
        percent,
        rows,
        signed_percent,
        signed_share,
        size,
        moment,
        exact_moment,
        words,
        segment,
    )
}
