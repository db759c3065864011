"""Charts as inline SVG: made on the server, the same bytes for the same figures, coloured by the page they stand in.

pygal writes the day, a script and a style sheet of its own into every chart. They are taken out: what is left is
shapes and texts with class names, which the style sheet of the page gives the colours of light or dark.
"""

import sys
from collections.abc import Sequence
from datetime import datetime
from math import ceil, floor, log10
from typing import Any
from xml.etree import ElementTree

import pygal
from markupsafe import Markup
from pygal.style import Style

from glyphd.domain.history import PriceBucket, RetractedPrices
from glyphd.domain.market_report import ModelMarket, Spread
from glyphd.rendering.plain_text import plain_line

LONGEST_LABEL = 28
MOST_DOTS = 60
MOST_LABELS = 8
MOST_STEPS = 10

# pygal adds a finder of plug-ins, in a form that Python 3.11 warns of at each import that fails: there are no plug-ins
sys.meta_path[:] = [finder for finder in sys.meta_path if type(finder).__module__ != pygal.__name__]

_COMMON = {
    "style": Style(label_font_size=13, major_label_font_size=13, value_font_size=13),  # what room texts are given
    "js": (),
    "css": (),
    "show_legend": False,
    "width": 860,
    "margin": 10,
    "truncate_label": LONGEST_LABEL,
}


def listings_chart(models: Sequence[ModelMarket]) -> Markup:
    """Draw how many listings each model has."""
    chart = pygal.HorizontalBar(**_COMMON, height=90 + 26 * len(models), print_values=True, print_values_position="top")
    chart.x_labels = _names(models)[::-1]
    chart.y_labels = _whole_steps(max(model.listing_count for model in models))
    chart.add("listings", [model.listing_count for model in reversed(models)])
    chart.value_formatter = "{:,.0f}".format
    return _inline(chart, "Listings by model", "How many listings each model has; the table of models says the same.")


def prices_chart(models: Sequence[ModelMarket]) -> Markup:
    """Draw how the prices of each model are spread, on a logarithmic scale, on which every price is above 0."""
    chart = pygal.Box(**_COMMON, height=420, box_mode="extremes", logarithmic=True, x_label_rotation=30)
    chart.x_labels = _names(models)
    chart.y_labels = _steps(min(model.price.min for model in models), max(model.price.max for model in models))
    chart.value_formatter = "${:,.10g}".format
    for model in models:
        chart.add("prices", _as_box(model.price))
    return _inline(chart, "Prices by model", _PRICES_TOLD)


def history_chart(buckets: Sequence[PriceBucket], retracted: Sequence[RetractedPrices] = ()) -> Markup:
    """Draw the lowest, the median and the highest price of a model through time, and what was rolled back as dots.

    A bucket without prices is a gap; the lines pass what was rolled back, which has a place of its own, as if it were
    not there, and its dot stays within the scale of the prices.
    """
    places: list[PriceBucket | RetractedPrices] = sorted([*buckets, *retracted], key=_moment_of)
    step = ceil(len(places) / MOST_LABELS)
    chart = pygal.Line(
        **_COMMON,
        height=380,
        x_label_rotation=30,
        show_minor_x_labels=False,
        show_dots=len(buckets) <= MOST_DOTS,
        allow_interruptions=True,
    )
    chart.x_labels = [f"{_moment_of(place):%Y-%m-%d}" if at % step == 0 else "" for at, place in enumerate(places)]
    chart.x_labels_major = [label for label in chart.x_labels if label]
    chart.value_formatter = "${:,.10g}".format
    for name in ("min", "median", "max"):
        chart.add(
            name, _passing([getattr(place, name) if isinstance(place, PriceBucket) else _PASSED for place in places])
        )
    if retracted:
        low = min((bucket.min for bucket in buckets if bucket.min is not None), default=0)
        high = max((bucket.max for bucket in buckets if bucket.max is not None), default=0)
        dots = [min(max(place.median, low), high) if isinstance(place, RetractedPrices) else None for place in places]
        chart.add("rolled back", dots, stroke=False, show_dots=True, dots_size=5)
    return _inline(chart, "Prices through time", _HISTORY_TOLD)


def _moment_of(place: PriceBucket | RetractedPrices) -> datetime:
    return place.start if isinstance(place, PriceBucket) else place.observed_at


def _passing(values: Sequence[float | None]) -> list[Any]:
    """Give the places that a line passes the values it has there on its way: no dots, and no gaps of their own."""
    held = [(at, value) for at, value in enumerate(values) if value is not _PASSED]
    drawn: list[Any] = list(values)
    for at, value in enumerate(values):
        if value is not _PASSED:
            continue
        before = max((each for each in held if each[0] < at), default=(at, None))
        after = min((each for each in held if each[0] > at), default=(at, None))
        drawn[at] = None
        if before[1] is not None and after[1] is not None:
            way = (at - before[0]) / (after[0] - before[0])
            drawn[at] = {"value": before[1] + (after[1] - before[1]) * way, "node": {"r": 0}}
    return drawn


def _names(models: Sequence[ModelMarket]) -> list[str]:
    return [plain_line(model.model) for model in models]


_PASSED: Any = object()

_HISTORY_TOLD = (
    "Lowest, median and highest price in USD, by day of observation, and what was rolled back as dots; the tables say "
    "the same."
)

_PRICES_TOLD = (
    "Lowest and highest price of each model, its quartiles as a box, its median as a line, in USD on a logarithmic "
    "scale; the table of models says the same."
)


def _whole_steps(most: int) -> list[int] | None:
    """Return the steps of a scale of few things, each of which is a whole number; None where pygal's are whole too."""
    return list(range(most + 1)) if most <= MOST_STEPS else None


def _steps(low: float, high: float) -> list[float]:
    """Return the steps of a logarithmic scale: 1, 2 and 5 of each power of ten, just around a range."""
    steps = [
        float(f"{digit}e{power}") for power in range(floor(log10(low)), ceil(log10(high)) + 1) for digit in (1, 2, 5)
    ]
    first = max(place for place, step in enumerate(steps) if step <= low)
    last = min((place for place, step in enumerate(steps) if step >= high), default=len(steps) - 1)
    return steps[first : last + 1]


def _as_box(price: Spread) -> list[float]:
    """Return seven values whose quartiles, as pygal takes them, are these."""
    return [price.min, price.p25, price.p25, price.median, price.p75, price.p75, price.max]


def _inline(chart: "pygal.graph.graph.Graph", title: str, description: str) -> Markup:
    """Return a chart as an image of the page, with what it says for those who do not see it."""
    root: ElementTree.Element = chart.render_tree()
    _strip(root)
    for name in ("id", "xmlns"):
        root.attrib.pop(name, None)
    root.attrib |= {"class": "chart", "role": "img", "aria-label": f"{title}. {description}"}
    told = ElementTree.Element("title")
    told.text = title
    root.insert(0, told)
    text = ElementTree.tostring(root, encoding="unicode", short_empty_elements=True)
    return Markup(text)  # noqa: S704 - ElementTree has escaped every text in it


def _strip(element: ElementTree.Element) -> None:
    for child in list(element):
        if child.tag in {ElementTree.Comment, "defs", "title", "desc"} or "tooltip" in child.get("class", "").split(
            "-"
        ):
            element.remove(child)
        else:
            _strip(child)
