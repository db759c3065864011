"""Gates, holding, publishing: what waits for a person, and what a person may then do."""

from collections.abc import Callable

import pytest

from glyphd.domain.gates import Gate, GateLimits
from glyphd.domain.imports import PublishMode, Status
from glyphd.domain.report import ImportReport
from glyphd.errors import IllegalTransition, ImportNotFound
from glyphd.services.browsing import ListingQuery, browse_listings
from glyphd.services.context import Context
from glyphd.services.discarding import discard_import
from glyphd.services.inspecting import inspect_events, inspect_rejections
from glyphd.services.publishing import publish_import
from glyphd.services.reporting import report_import
from glyphd.services.surveying import survey_models, survey_sources

HOLD = PublishMode.HOLD


@pytest.fixture
def gated(context: Context, publish: Callable[..., str], make_lines: Callable[..., str]) -> Callable[..., ImportReport]:
    """Import rows at these prices under gates, and return the report."""

    def run(*prices: float, source: str = "s", **limits: float) -> ImportReport:
        gates = GateLimits(**limits)  # type: ignore[arg-type]
        return report_import(context, publish(make_lines(*prices), source=source, gates=gates))

    return run


@pytest.mark.parametrize(
    ("limits", "gate"),
    [
        ({"max_reject_rate": 0.25}, Gate("max_reject_rate", 0.25, 0.25, passed=True)),
        ({"max_reject_rate": 0.24}, Gate("max_reject_rate", 0.24, 0.25, passed=False)),
        ({"min_rows": 3}, Gate("min_rows", 3, 3, passed=True)),
        ({"min_rows": 4}, Gate("min_rows", 4, 3, passed=False)),
        ({"max_price_move": 0.0}, Gate("max_price_move", 0.0, None, passed=True)),
    ],
)
def test_a_gate_is_told_with_its_figure(
    gated: Callable[..., ImportReport], limits: dict[str, float], gate: Gate
) -> None:
    """A value at its limit passes; one that fails leaves the import staged; a first batch has moved from nothing."""
    report = gated(100, 200, 300, 0, **limits)

    assert [gate] == report.gates
    assert (Status.PUBLISHED if gate.passed else Status.STAGED) is report.status
    assert (report.published_at is not None) is gate.passed


@pytest.mark.parametrize(("prices", "move"), [((100, 220, 300), 0.1), ((50, 100, 150), 0.5), ((100, 200, 9999), 0.0)])
def test_prices_are_compared_with_the_batch_before(
    gated: Callable[..., ImportReport], prices: tuple[float, ...], move: float
) -> None:
    """By the medians of the models in both: one wild row moves nothing."""
    gated(100, 200, 300)
    report = gated(*prices, max_price_move=0.2)

    assert [("max_price_move", 0.2, pytest.approx(move), move <= 0.2)] == [
        (gate.gate, gate.limit, gate.value, gate.passed) for gate in report.gates
    ]
    assert (Status.PUBLISHED if move <= 0.2 else Status.STAGED) is report.status


def test_what_is_staged_or_of_another_source_is_not_compared_with(gated: Callable[..., ImportReport]) -> None:
    """Only the latest published batch of the source counts."""
    gated(100)
    gated(900, source="other")
    gated(900, min_rows=2)
    assert Status.PUBLISHED is gated(100, max_price_move=0.1).status


def test_gates_of_the_source_hold_where_the_request_says_nothing(
    context: Context, publish: Callable[..., str], make_lines: Callable[..., str]
) -> None:
    """Request over source over `*`, gate by gate."""
    every, own = GateLimits(min_rows=5, max_reject_rate=0.5), GateLimits(min_rows=4)
    context.gates.update({"*": every, "s": own})
    limits = [
        {gate.gate: gate.limit for gate in report_import(context, publish(make_lines(1), **given)).gates}
        for given in ({}, {"source": "s"}, {"source": "s", "gates": GateLimits(min_rows=1)})
    ]
    assert [
        {"max_reject_rate": 0.5, "min_rows": 5},
        {"max_reject_rate": 0.5, "min_rows": 4},
        {"max_reject_rate": 0.5, "min_rows": 1},
    ] == limits


def test_why_it_is_staged_is_in_the_events(context: Context, gated: Callable[..., ImportReport]) -> None:
    """Whoever looks at an import that waits sees which gate failed."""
    report = gated(100, 0, min_rows=2, max_reject_rate=0.1)
    last = inspect_events(context, report.import_id, limit=10)[-1]
    assert ("staged", ["max_reject_rate", "min_rows"]) == (last.action, last.details["failed_gates"])


def test_what_is_staged_is_seen_by_name_only(
    context: Context, publish: Callable[..., str], make_lines: Callable[..., str]
) -> None:
    """Its listings, rejections and report are there for who names it, and for nobody else (G3)."""
    import_id = publish(make_lines(100, 0), publish=HOLD)
    seen = [
        browse_listings(context, query, limit=9).items for query in (ListingQuery(import_id=import_id), ListingQuery())
    ]
    [source] = survey_sources(context)

    assert [1, 0] == [len(items) for items in seen]
    assert ([], None) == (survey_models(context, limit=9), source.current_import_id)
    assert 1 == len(inspect_rejections(context, import_id, limit=9)[0])


def test_publishing_makes_it_visible_once(
    context: Context, publish: Callable[..., str], make_lines: Callable[..., str]
) -> None:
    """Asking twice changes nothing, and writes no second event."""
    import_id = publish(make_lines(100, 0), publish=HOLD)
    publish_import(context, import_id, "operator", "looks right")
    first = report_import(context, import_id)
    publish_import(context, import_id, "somebody", "again")

    assert first == report_import(context, import_id)
    assert (Status.PUBLISHED, 1) == (first.status, len(browse_listings(context, ListingQuery(), limit=9).items))
    assert [("operator", "looks right")] == [
        (e.actor, e.reason) for e in inspect_events(context, import_id, limit=99) if e.action == "published"
    ]


@pytest.mark.parametrize("status", sorted(set(Status) - {Status.STAGED, Status.PUBLISHED}))
def test_only_what_is_staged_can_be_published(
    context: Context, make_import: Callable[[Status], str], status: Status
) -> None:
    """The refusal names the state and what is possible in it."""
    import_id = make_import(status)
    with pytest.raises(IllegalTransition) as refused:
        publish_import(context, import_id, "operator")
    assert status == refused.value.members["import_status"]
    assert "publish" not in refused.value.members["possible"]
    assert status is report_import(context, import_id).status


def test_a_staged_import_that_is_discarded_goes(
    context: Context,
    publish: Callable[..., str],
    make_lines: Callable[..., str],
    clean: Callable[[], None],
    count_rows: Callable[..., int],
) -> None:
    """It cannot be published any more, and its rows are removed."""
    import_id = publish(make_lines(100), publish=HOLD)
    discard_import(context, import_id, "operator", "the wrong shop")
    clean()
    with pytest.raises(IllegalTransition):
        publish_import(context, import_id, "operator")
    assert 0 == count_rows(import_id)


def test_an_unknown_import_cannot_be_published(context: Context) -> None:
    """An id that nothing has is not found."""
    with pytest.raises(ImportNotFound):
        publish_import(context, "01997c1e-4a00-7d5e-9c39-0f6a4cf0a1b2", "operator")
