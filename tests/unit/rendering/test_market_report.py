"""Pages of a market report: whole in themselves, the same each time, and with nothing in them that a listing wrote."""

import re
from dataclasses import asdict, replace
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import pytest

from glyphd.domain.diff import DiffFigures, ModelDiff
from glyphd.domain.imports import Artifact, Kind
from glyphd.domain.market_report import (
    Anomalies,
    Anomaly,
    BudgetShelf,
    MarketReport,
    ModelMarket,
    Offer,
    Quality,
    ReportedChanges,
    ReportedImport,
    Spread,
    SummaryStats,
)
from glyphd.rendering import market_report
from glyphd.rendering.market_report import render_html, render_markdown

HOSTILE = '</table><script>alert("1")</script> | `a` *b* _c_ [d](http://e.example) \n# f <img src=x> www.g.example'
_AT = datetime(2026, 7, 1, tzinfo=UTC)
VOID = {"meta", "br"}


def _report(text: str = "H100") -> MarketReport:
    """Make a report that says the text wherever a listing or a client has a say."""
    spread = Spread(100.0, 200.0, 300.0, 400.0, 500.0)
    offer = Offer("i", 7, "00", text, 300.0, 71.4, 0.238, text, text, text, text)
    entry = ReportedImport(
        "i", text, 1, Kind.BATCH, None, None, "v1.1", _AT, _AT, 2, 1, 1, {"ragged_row": 1}, {}, [
            Artifact("batch", "ab" * 32, 9, text, "text/csv")
        ],
    )  # fmt: skip
    figures = DiffFigures(1, 2, 3, 4, 5, 6, 7, -1.5, 20.25, None)
    return MarketReport(
        import_id=None,
        as_of=None,
        source=text,
        imports=[entry],
        summary_stats=SummaryStats(1, 1, spread, spread),
        models=[ModelMarket(text, 1, spread, spread), ModelMarket("Z", 3, spread, spread)],
        models_truncated=True,
        top_ranked=[offer],
        best_value=[replace(offer, score_per_dollar=None, seller=None)],
        under_budget=[BudgetShelf(500.0, 1, [offer])],
        anomalies=Anomalies(2, 3.5, 5, [Anomaly(offer, 900.0, -8.0)]),
        changes=[
            ReportedChanges("i", text, "h", figures, [ModelDiff(**asdict(figures), model=text)]),
            ReportedChanges("i", text, "purged", None, []),
        ],
        quality=Quality(2, 1, 1, {"ragged_row": 1}, {"quantity_not_numeric": 2}),
        markdown="",
    )


class _Page(HTMLParser):
    """Collects the elements of a page, and says which are not closed."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []
        self.open: list[str] = []
        self.feed(page)
        self.close()

    def tags_outside_charts(self) -> list[str]:
        return [tag for tag in self.tags if tag not in {"g", "rect", "path", "text"}]  # how many guides depends on room

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [name for name, _ in attrs if name in {"src", "href", "xlink:href", "srcset", "style"}]
        self.links += [name for name, _ in attrs if name.startswith("on")]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open
        assert tag == self.open.pop()


@pytest.mark.parametrize("text", ["H100", HOSTILE, "\x1b[31m\u202e"])
def test_a_page_is_whole_in_itself(text: str) -> None:
    """It parses, runs nothing, names nothing elsewhere, and has the same elements whatever listings say."""
    page = render_html(_report(text))
    found, plain = _Page(page), _Page(render_html(_report()))
    assert plain.tags_outside_charts() == found.tags_outside_charts()
    assert ([], []) == (found.links, found.open)
    assert not {"script", "img", "link", "iframe", "a"} & set(found.tags)
    assert not re.search(r"url\(|@import|\x1b|\u202e", page)


def test_charts_are_xml_with_names() -> None:
    """Each can be read as an image by who does not see it, and hostile names are text in it."""
    charts = re.findall(r"<svg.*?</svg>", render_html(_report(HOSTILE)), flags=re.DOTALL)
    assert 2 == len(charts)
    for chart in charts:
        root = ElementTree.fromstring(chart)  # noqa: S314 - it is our own
        assert "img" == root.get("role")
        assert root.get("aria-label")
        assert {"svg", "title", "g", "rect", "path", "text"} >= {each.tag for each in root.iter()}


def test_the_same_figures_are_the_same_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    """pygal writes the day and a random name into its charts: neither is left."""
    first = render_html(_report())
    monkeypatch.setattr("pygal.svg.date", type("Day", (), {"today": staticmethod(lambda: _AT)}))
    assert first == render_html(_report())
    assert "pygal" not in first.lower()


def test_markdown_has_no_markup_of_listings() -> None:
    """Every pipe, backtick, bracket and bare address is escaped, and a name stays on its line."""
    plain, hostile = render_markdown(_report()), render_markdown(_report(HOSTILE))
    assert plain.count("\n") == hostile.count("\n")
    for line, told in zip(plain.splitlines(), hostile.splitlines(), strict=True):
        bare = re.sub(r"\\.", "", told)
        assert line.count("|") == bare.count("|")
        assert line.count("`") == bare.count("`")
        assert not re.search(r"<|\]\(|://|www\.|\*b|_c", bare)


@pytest.mark.parametrize("import_id", ["a|b", "a\nb", "a`b", "a \r\n|` b", "a\u2028b"])
def test_an_id_from_the_field_breaks_no_table(import_id: str) -> None:
    """It may be any text; one of ours reads as code."""
    report = _report()
    offer = replace(report.top_ranked[0], import_id=import_id)
    plain = render_markdown(report)
    anomalies = replace(report.anomalies, items=[Anomaly(offer, 900.0, -8.0)])
    odd = render_markdown(replace(report, top_ranked=[offer], anomalies=anomalies))

    assert "| `i:7` |" in plain
    assert len(plain.splitlines()) == len(odd.splitlines())
    for line, told in zip(plain.splitlines(), odd.splitlines(), strict=True):
        assert line.count("|") == re.sub(r"\\.", "", told).count("|")


def test_markdown_names_read_as_they_are() -> None:
    """What is no markup is not escaped: `RTX_4090` is often read as it stands."""
    assert "| RTX_4090-Ti (8.0) |" in render_markdown(_report("RTX_4090-Ti (8.0)"))


def test_nothing_is_said_of_nothing() -> None:
    """A view without imports has a report too."""
    empty = replace(
        _report(),
        imports=[],
        summary_stats=SummaryStats(0, 0, None, None),
        models=[],
        top_ranked=[],
        under_budget=[],
        anomalies=Anomalies(0, 3.5, 5, []),
        quality=Quality(0, 0, 0, {}, {}),
    )
    assert "svg" not in _Page(render_html(empty)).tags
    assert "No import is in this view." in render_markdown(empty)


@pytest.mark.parametrize("prices", [(0.0, 0.0), (5.0, 5.0), (0.01, 1e7), (-3.0, 9.0)])
def test_any_price_can_be_drawn(prices: tuple[float, float]) -> None:
    """One price, a price of nothing, and all that the contract allows."""
    low, high = prices
    spread = Spread(low, low, low, high, high)
    page = render_html(replace(_report(), models=[ModelMarket("m", 2, spread, spread)]))
    assert "nan" not in page.lower().replace("nanum", "")


def test_both_palettes_are_legible() -> None:
    """WCAG AA: texts have 4.5 to 1 on paper and stripes, what is drawn 3 to 1, lines are seen."""
    style = Path(market_report.__file__).with_name("templates").joinpath("market_report.html.j2").read_text()
    palettes = [dict(re.findall(r"--(\w+): #(\w{6})", found)) for found in re.findall(r":root \{(.*?)\}", style)]
    assert 2 == len(palettes)
    for colours in palettes:
        paper = colours["paper"]
        assert all(
            _contrast(colours[ink], colours[on]) >= 4.5 for ink in ("ink", "quiet") for on in ("paper", "stripe")
        )
        assert _contrast(colours["accent"], paper) >= 3
        assert _contrast(colours["line"], paper) >= 1.4


def _contrast(first: str, second: str) -> float:
    """Return the contrast of two colours (WCAG 2.2)."""
    dark, light = sorted((_luminance(first), _luminance(second)))
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    shares = [int(colour[place : place + 2], 16) / 255 for place in (0, 2, 4)]
    red, green, blue = (share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4 for share in shares)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
