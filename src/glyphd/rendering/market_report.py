"""The market report as Markdown and as one HTML page that needs nothing but itself."""

import re
from datetime import datetime
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from glyphd.domain.diff import Change
from glyphd.domain.market_report import LEAST_PRICE, MarketReport, ReportedImport
from glyphd.rendering.charts import listings_chart, prices_chart
from glyphd.rendering.plain_text import plain_line

CHARTED_MODELS = 12
_NOTHING = "-"

_SPECIAL = re.compile(r"([\\`*\[\]<>|~&@]|(?<!\w)_|_(?!\w)|:(?=//)|(?<=www)\.)", re.IGNORECASE)
"""What is markup in a line of GFM: an `_` inside a word is none, a bare URL or address is a link."""

_PLAIN_ID = re.compile(r"[\w.:/+=-]+")


def render_markdown(report: MarketReport) -> str:
    """Return a report as Markdown (GFM tables)."""
    page = _MARKDOWN.get_template("market_report.md.j2")
    return page.render(report=report, title=title_of(report), change_names=list(Change))


def render_html(report: MarketReport) -> str:
    """Return a report as an HTML page: no script, nothing from elsewhere, light or dark as the reader has it."""
    page = _HTML.get_template("market_report.html.j2")
    return page.render(title=title_of(report), figures=render_figures(report))


def render_figures(report: MarketReport, *, linked: bool = False) -> Markup:
    """Return what a report says as a part of a page; ``linked``: rows lead to their lineage in the console."""
    charted = report.models[:CHARTED_MODELS]
    priced = [model for model in charted if model.price.min >= LEAST_PRICE]  # the others are on no logarithmic scale
    charts = [chart(models) for chart, models in ((listings_chart, charted), (prices_chart, priced)) if models]
    part = _HTML.get_template("market_figures.html.j2")
    told = part.render(report=report, charts=charts, change_names=list(Change), linked=linked)
    return Markup(told)  # noqa: S704 - the template has escaped every text in it


def title_of(report: MarketReport) -> str:
    """Return what a report is called."""
    if report.import_id is not None:
        return f"Market report of import {report.import_id}"
    of = f" of {report.source}" if report.source else ""
    return f"Market report{of} as of {_moment(report.as_of)}" if report.as_of else f"Market report{of}, current view"


def _usd(value: float) -> str:
    return f"${value:,.2f}".replace("$-", "-$")


def _figure(value: float) -> str:
    return f"{value:,.1f}"


def _value(score_per_dollar: float | None) -> str:
    """Return a score per 1,000 USD: per dollar it would be mostly zeros."""
    return _NOTHING if score_per_dollar is None else f"{score_per_dollar * 1000:,.2f}"


def _percent(value: float | None) -> str:
    return _NOTHING if value is None else f"{value:+,.2f} %"


def _moment(value: datetime | None) -> str:
    return _NOTHING if value is None else f"{value:%Y-%m-%d %H:%M:%S} UTC"


def _name(entry: ReportedImport) -> str:
    return entry.source if entry.source_version is None else f"{entry.source} v{entry.source_version}"


def _plain(value: Any) -> Any:
    """Return text on one line, without characters that do not show; markup and what is no text as they are."""
    if not isinstance(value, str) or isinstance(value, Markup):
        return _NOTHING if value is None else value
    return plain_line(value)


def _escaped_markdown(value: Any) -> Any:
    """Escape what Markdown, and HTML inside it, would take for markup."""
    return _SPECIAL.sub(r"\\\1", str(_plain(value)))


def _code(value: str) -> str:
    """Return an id as Markdown code; one from the field may be any text, and then it is text."""
    return f"`{value}`" if _PLAIN_ID.fullmatch(value) else str(_escaped_markdown(value))


def _environment(**options: Any) -> Environment:
    made = Environment(  # noqa: S701 - Markdown is no HTML: there every text goes through the filter `md`
        loader=PackageLoader("glyphd.rendering"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        **options,
    )
    made.filters |= {
        "usd": _usd,
        "figure": _figure,
        "value": _value,
        "percent": _percent,
        "moment": _moment,
        "name": _name,
    }
    return made


_MARKDOWN = _environment(autoescape=False, finalize=None)
_MARKDOWN.filters |= {"md": _escaped_markdown, "code": _code}
_HTML = _environment(autoescape=True, finalize=_plain)
