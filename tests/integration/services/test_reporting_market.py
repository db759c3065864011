"""The market report of an import and of views: what it says, that it stays the same, and when there is none."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from glyphd.domain.imports import Kind, Status
from glyphd.domain.market_report import MarketQuery, MarketReport, ReportFormat, Spread
from glyphd.errors import IllegalTransition, ImportNotFound, InvalidParameter
from glyphd.services import reporting_market
from glyphd.services.context import Context
from glyphd.services.replaying import replay_import
from glyphd.services.reporting_market import report_market, write_market_report
from glyphd.services.rolling_back import restore_import, roll_back_import
from glyphd.services.running import run_next

SAMPLE = Path(__file__).parents[3] / "sample" / "scored_sample.csv"
_JULY, _AUGUST = datetime(2026, 7, 1, tzinfo=UTC), datetime(2026, 8, 1, tzinfo=UTC)


def _of(context: Context, import_id: str | None = None, **view: Any) -> MarketReport:
    return report_market(context, MarketQuery(import_id, **view))


def _files(context: Context, import_id: str) -> list[bytes]:
    return [write_market_report(context, MarketQuery(import_id), form) for form in ReportFormat]


def test_the_report_of_the_sample(context: Context, publish: Callable[..., str]) -> None:
    """Ten records, eight rows: which models, which ranges, which rows are best, and what was rejected."""
    import_id = publish(SAMPLE.read_bytes(), source="wamatek")
    report = _of(context, import_id)
    assert (8, 6) == (report.summary_stats.listing_count, report.summary_stats.model_count)
    assert report.summary_stats.price is not None
    assert (1749.0, 28450.0) == (report.summary_stats.price.min, report.summary_stats.price.max)
    assert ["A100_40GB_PCIE", "H100_PCIE_80GB", "L4", "L40S", "RTX_4090", "RTX_6000_ADA"] == [
        market.model for market in report.models
    ]
    assert Spread(7899.5, 7962.125, 8024.75, 8087.375, 8150.0) == report.models[0].price
    best = report.top_ranked[0]
    assert ("H100_PCIE_80GB", 1, 28450.0, 71.4) == (best.model, best.import_index, best.price, best.score)
    assert ("7ae0ed1e5e8f906a", "Halbry Systems", import_id) == (best.listing_key, best.seller, best.import_id)
    ranked = [(offer.score, -offer.price) for offer in report.top_ranked]
    assert sorted(ranked, reverse=True) == ranked
    values = [offer.score / offer.price for offer in report.best_value]
    assert sorted(values, reverse=True) == values == [offer.score_per_dollar for offer in report.best_value]
    assert [2500.0, 5000.0, 10000.0, 25000.0, 50000.0] == [shelf.budget for shelf in report.under_budget]
    assert 8 == report.under_budget[-1].listing_count
    assert (10, 8, 2) == (report.quality.received, report.quality.count, report.quality.rejected)
    assert {"not_a_number": 1, "out_of_range": 2, "unknown_model": 1} == report.quality.error_counts
    assert {"quantity_not_numeric": 2} == report.quality.warning_counts
    about = report.imports[0]
    assert ("wamatek", 1, Kind.BATCH) == (about.source, about.source_version, about.kind)
    assert "5f20dcd0362fc9beb70804854c81b2b270646283f4cd2809ead11a44463d3257" == about.artifacts[0].sha256
    assert (
        f"| `{import_id}:1` | H100_PCIE_80GB | $28,450.00 | 71.4 | 2.51 | New | Halbry Systems | US |"
        in report.markdown
    )


def test_anomalies_name_their_rows(
    context: Context, publish: Callable[..., str], make_lines: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The farthest first; the same however the rows are cut."""
    prices = (100, 101, 99, 100, 102, 98, 1000, 100, 10)
    import_id = publish(make_lines(*prices) + make_lines(5, 50, 500, 9, model="few").partition("\n")[2])
    found = _of(context, import_id).anomalies
    assert (2, [7, 9]) == (found.count, [each.offer.import_index for each in found.items])
    assert (100.0, True) == (found.items[1].median_price, found.items[1].deviation < -3.5)
    monkeypatch.setattr(reporting_market, "ROWS_AT_ONCE", 1)
    assert found == _of(context, import_id).anomalies


def test_a_report_stays_the_same_whatever_comes_after(
    context: Context, publish: Callable[..., str], make_lines: Callable[..., str]
) -> None:
    """As bytes: later imports, an amendment, a replay, roll backs of others and of itself, a restore."""
    first = publish(make_lines(100, 200), source="a", observed_at=_JULY)
    second = publish(make_lines(110, 0, 230), source="a", observed_at=_AUGUST)
    before = _files(context, second)
    publish(make_lines(9, 9), source="a")
    publish(make_lines(140), source="a", parent_import_id=second)
    replay_import(context, second, "test", None)
    while run_next(context, "worker"):
        pass
    assert before == _files(context, second)
    roll_back_import(context, first, "test", "bad")
    roll_back_import(context, second, "test", "bad")
    assert before == _files(context, second)
    restore_import(context, second, "test", "good")
    assert before == _files(context, second)


def test_views_take_each_source_at_its_latest(
    context: Context, publish: Callable[..., str], make_lines: Callable[..., str]
) -> None:
    """The current view and that as of July, of all sources and of one; medians are over all rows."""
    old = publish(make_lines(100, 200), source="a", observed_at=_JULY)
    new = publish(make_lines(300, 400, 500), source="a", observed_at=_AUGUST)
    other = publish(make_lines(1000), source="b", observed_at=_JULY)
    current = _of(context)
    assert [other, new] == [entry.import_id for entry in current.imports]
    assert (4, 450.0) == (current.models[0].listing_count, current.models[0].price.median)
    assert {old, other} == {entry.import_id for entry in _of(context, as_of=_JULY).imports}
    assert [new] == [entry.import_id for entry in _of(context, source="a").imports]
    assert new == _of(context, source="a").top_ranked[0].import_id
    roll_back_import(context, new, "test", "bad")
    assert _of(context, as_of=_JULY, source="a").models == _of(context, source="a").models
    assert (None, []) == (_of(context, source="none").summary_stats.price, _of(context, source="none").models)


def test_a_budget_buys_the_best_that_costs_no_more(
    context: Context, publish: Callable[..., str], make_lines: Callable[..., str]
) -> None:
    """The budget itself is inside; where nothing is as cheap, nothing is named."""
    publish(make_lines(100, 200, 300))
    shelf = _of(context, budget=200).under_budget[0]
    assert (200, 2, [1, 2]) == (shelf.budget, shelf.listing_count, [offer.import_index for offer in shelf.best])
    assert (0, []) == (
        _of(context, budget=1).under_budget[0].listing_count,
        _of(context, budget=1).under_budget[0].best,
    )


def test_without_rows_there_is_no_report(
    context: Context,
    publish: Callable[..., str],
    receive: Callable[..., str],
    make_lines: Callable[..., str],
    execute: Callable[..., list[Any]],
) -> None:
    """Staged and rolled-back imports have one; those that wait, failed, or were purged have not."""
    staged = publish(make_lines(1), publish="hold")
    assert 1 == _of(context, staged).summary_stats.listing_count
    failed, waiting = publish(make_lines(0)), receive(make_lines(1))
    execute("UPDATE import_batches SET status = :status WHERE import_id = :id", status=Status.PURGED, id=staged)
    for import_id in (failed, waiting, staged):
        with pytest.raises(IllegalTransition):
            _of(context, import_id)
    with pytest.raises(ImportNotFound):
        _of(context, "01997c1e-4a00-7d5e-9c39-0f6a4cf0a1b2")
    for view in ({"source": "a"}, {"as_of": _JULY}):
        with pytest.raises(InvalidParameter):
            _of(context, waiting, **view)


def test_what_changed_since_the_previous_import(
    context: Context, publish: Callable[..., str], make_lines: Callable[..., str]
) -> None:
    """In an import's own report and in that of the view; the same bytes when the previous one is rolled back later."""
    first = publish(make_lines(100, seller="a") + make_lines(50, seller="b").split("\n", 1)[1], source="shop")
    second = publish(make_lines(110, seller="a") + make_lines(7, seller="c").split("\n", 1)[1], source="shop")
    before = {form: write_market_report(context, MarketQuery(second), form) for form in ReportFormat}

    for query in (MarketQuery(second), MarketQuery()):
        (found,) = report_market(context, query).changes
        assert found.figures is not None
        assert (second, first, 1, 1, 1, 0, 10.0) == (
            found.import_id, found.previous_import_id, found.figures.appeared, found.figures.disappeared,
            found.figures.price_up, found.figures.price_down, found.figures.median_price_change_pct,
        )  # fmt: skip
        assert [("H100", 3)] == [(model.model, model.changes) for model in found.models]
    assert [] == report_market(context, MarketQuery(first)).changes
    roll_back_import(context, first, "ana")
    assert before == {form: write_market_report(context, MarketQuery(second), form) for form in ReportFormat}
    assert b"+10.00 %" in before[ReportFormat.MARKDOWN]
    assert b"+10.00 %" in before[ReportFormat.HTML]
