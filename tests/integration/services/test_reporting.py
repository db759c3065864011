"""The report of an import, and the figures over sources and models."""

import dataclasses
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from glyphd.domain.clock import utc_now
from glyphd.domain.imports import ImportFilters, ImportPlace, ImportSort, Status
from glyphd.errors import ArtifactNotFound, ImportNotFound
from glyphd.services.comparing import compare_imports
from glyphd.services.context import Context
from glyphd.services.discarding import discard_import
from glyphd.services.inspecting import inspect_artifact, inspect_rejections
from glyphd.services.reporting import (
    ERRORS_LIMIT,
    is_pending,
    report_import,
    report_imports,
)
from glyphd.services.running import claim_next, run_import, run_next
from glyphd.services.surveying import survey_models, survey_sources
from glyphd.store import imports

_JULY = datetime(2026, 7, 1, tzinfo=UTC)


def test_the_same_bytes_name_the_earlier_import(
    context: Context, publish: Callable[..., str], make_lines: Callable[..., str], execute: Callable[..., list[Any]]
) -> None:
    """duplicate_of names the first import of the source that holds them, as long as that one is out or staged."""
    first, second = publish(make_lines(1)), publish(make_lines(1))
    third, other = publish(make_lines(1)), publish(make_lines(1), source="other")
    duplicates = [report_import(context, import_id).duplicate_of for import_id in (first, second, third, other)]
    assert [None, first, first, None] == duplicates
    for status in (Status.STAGED, Status.ROLLED_BACK, Status.DISCARDED, Status.FAILED):
        execute("UPDATE import_batches SET status = :status WHERE import_id = :id", status=status, id=first)
        assert (first if status is Status.STAGED else second) == report_import(context, third).duplicate_of


def test_a_cut_list_of_errors_says_so(
    context: Context, publish: Callable[..., str], make_lines: Callable[..., str]
) -> None:
    """G2: totals are true, and every rejection can be paged."""
    import_id = publish(make_lines(1, *[0] * (ERRORS_LIMIT + 5)))
    report = report_import(context, import_id)
    assert (ERRORS_LIMIT, True) == (len(report.errors), report.errors_truncated)
    assert {"out_of_range": ERRORS_LIMIT + 5} == report.error_counts
    first, more = inspect_rejections(context, import_id, limit=100)
    rest, end = inspect_rejections(context, import_id, limit=100, after_index=first[-1].import_index)
    assert (True, False) == (more, end)
    assert list(range(2, ERRORS_LIMIT + 7)) == [found.import_index for found in first + rest]


def test_a_whole_list_of_errors_says_so(
    context: Context, publish: Callable[..., str], make_lines: Callable[..., str]
) -> None:
    """Exactly as many as are shown is not cut."""
    report = report_import(context, publish(make_lines(1, *[0] * ERRORS_LIMIT)))
    assert (ERRORS_LIMIT, False) == (len(report.errors), report.errors_truncated)


def test_progress_shows_until_the_import_is_finished(
    context: Context, receive: Callable[..., str], make_lines: Callable[..., str]
) -> None:
    """Then it is null and the duration known; a clock that stepped back makes it 0, not less."""
    import_id = receive(make_lines(1))
    held = claim_next(context, "worker")
    report = report_import(context, import_id)
    assert (True, 1, None) == (
        is_pending(context, import_id),
        getattr(report.progress, "attempts", 0),
        report.duration_ms,
    )
    assert held is not None
    run_import(dataclasses.replace(context, clock=lambda: utc_now() - timedelta(hours=1)), held)
    report = report_import(context, import_id)
    assert (False, None, 0) == (is_pending(context, import_id), report.progress, report.duration_ms)


def test_imports_are_listed_newest_first(context: Context, receive: Callable[..., str]) -> None:
    """Filters and pages; `since` is inclusive, `until` exclusive."""
    ids = [receive("x\n", source=source) for source in ("a", "b", "a")]
    run_next(context, "worker")
    moments = [report_import(context, import_id).imported_at for import_id in ids]

    def listed(
        limit: int = 10, after: ImportPlace | None = None, **filters: Any
    ) -> tuple[list[int], ImportPlace | None]:
        reports, last = report_imports(context, ImportFilters(**filters), limit=limit, after=after)
        return [ids.index(report.import_id) for report in reports], last

    assert ([2, 1, 0], None) == listed()
    page, last = listed(2)
    assert ([2, 1], [0]) == (page, listed(2, last)[0])
    assert ([2, 0], None) == listed(source="a")
    assert ([0], None) == listed(statuses=[Status.FAILED])
    assert ([2, 1, 0], None) == listed(statuses=[Status.FAILED, Status.RECEIVED])
    assert ([2, 1], None) == listed(since=moments[1])
    assert ([0], None) == listed(until=moments[1])


@pytest.mark.parametrize("sort", list(ImportSort))
def test_imports_are_sorted_and_walked_in_every_order(
    context: Context, receive: Callable[..., str], sort: ImportSort
) -> None:
    """Ties, and moments that are not known, are neither left out nor told twice, wherever a page ends."""
    ids = [receive("x\n", source="s") for _ in range(6)]
    later = _JULY + timedelta(microseconds=1)
    with context.database.writing() as work:
        for number, told in enumerate(((5, later), (0, None), (5, _JULY), (7, later), (0, None), (5, later))):
            imports.update_import(work.connection, ids[number], dict(zip(("count", "observed_at"), told, strict=True)))
        work.commit()
    whole, _ = report_imports(context, ImportFilters(sort=sort), limit=10)
    walked: list[str] = []
    place: ImportPlace | None = None
    while not walked or place:
        page, place = report_imports(context, ImportFilters(sort=sort), limit=1, after=place)
        walked += [report.import_id for report in page]

    ascending = {
        "imported_at": [0, 1, 2, 3, 4, 5],
        "observed_at": [1, 4, 2, 0, 3, 5],
        "count": [1, 4, 0, 2, 5, 3],
        "rejected": [0, 1, 2, 3, 4, 5],
    }[sort.column]
    assert [ids[number] for number in (ascending[::-1] if sort.descends else ascending)] == walked
    assert walked == [report.import_id for report in whole]


def test_previous_is_the_latest_published_batch_of_the_source(
    context: Context, publish: Callable[..., str], make_lines: Callable[..., str]
) -> None:
    """Latest by the time of the crawl: a late backfill does not become anybody's predecessor; failures never do."""
    new = publish(make_lines(1), source="s", observed_at=_JULY)
    backfill = publish(make_lines(2), source="s", observed_at=_JULY - timedelta(days=30))
    failed = publish("x\n", source="s", observed_at=_JULY + timedelta(days=1))
    publish(make_lines(4), source="other", observed_at=_JULY + timedelta(days=2))
    newest = publish(make_lines(3), source="s", observed_at=_JULY + timedelta(days=3))
    chain = [report_import(context, import_id).previous_import_id for import_id in (new, backfill, failed, newest)]
    assert [None, new, None, new] == chain


def test_previous_is_read_when_the_batch_is_audited(
    context: Context, receive: Callable[..., str], make_lines: Callable[..., str]
) -> None:
    """A batch that was received earlier and finished later does not precede one that was published before it."""
    slow, quick = receive(make_lines(1), observed_at=_JULY), receive(make_lines(2), observed_at=_JULY)
    held = claim_next(context, "slow")
    run_next(context, "quick")
    assert held is not None
    run_import(context, held)
    chain = [report_import(context, import_id).previous_import_id for import_id in (slow, quick)]
    assert [quick, None] == chain


@pytest.mark.parametrize("status", [Status.DISCARDED, Status.FAILED])
def test_without_rows_there_are_no_ranges(
    context: Context,
    publish: Callable[..., str],
    make_lines: Callable[..., str],
    execute: Callable[..., list[Any]],
    status: Status,
) -> None:
    """A discarded or failed import counts none, whatever was found out before."""
    import_id = publish(make_lines(1, 9))
    before = report_import(context, import_id)
    execute("UPDATE import_batches SET status = :status, count = 0 WHERE import_id = :id", status=status, id=import_id)
    report = report_import(context, import_id)

    assert ((1, 9), (71.4, 71.4)) == (before.price_range, before.score_range)
    assert (None, None, []) == (report.price_range, report.score_range, report.top_models)


def test_a_diff_is_linked_where_there_is_one(
    context: Context, publish: Callable[..., str], make_lines: Callable[..., str]
) -> None:
    """The first batch of a source has no previous one; an amendment has its batch."""
    first = publish(make_lines(1))
    later = [publish(make_lines(2)), publish(make_lines(3), parent_import_id=first)]

    assert "diff" not in report_import(context, first).links
    for import_id in later:
        assert f"/api/imports/{import_id}/diff" == report_import(context, import_id).links["diff"]
        assert compare_imports(context, import_id, limit=1)[0].summary.changes


def test_sources_tell_their_newest_import_and_the_one_that_stands(
    context: Context, publish: Callable[..., str], receive: Callable[..., str], make_lines: Callable[..., str]
) -> None:
    """A failed import is the newest, not the one that stands; the latest crawl stands, not the latest receipt."""
    new = publish(make_lines(1, 2, 0), source="a", observed_at=_JULY)
    publish(make_lines(1), source="a", observed_at=_JULY - timedelta(days=1))
    failed = publish("x\n", source="a")
    waiting = receive("x\n", source="b")
    a, b = survey_sources(context)
    assert ("a", 3, failed, Status.FAILED) == (a.source, a.imports, a.latest_import_id, a.latest_status)
    assert (new, 1, _JULY, 3, 2, 1) == (
        *(a.current_import_id, a.source_version, a.current_observed_at),
        *(a.received, a.count, a.rejected),
    )
    assert ("b", 1, waiting, None, None) == (b.source, b.imports, b.latest_import_id, b.current_import_id, b.count)


def test_models_are_those_of_the_current_view(
    context: Context, publish: Callable[..., str], receive: Callable[..., str], make_lines: Callable[..., str]
) -> None:
    """Each source's latest crawl counts; the median over two sources is of all their prices, not of their medians."""
    publish(make_lines(5, 5, 5), source="a", observed_at=_JULY)
    publish(make_lines(10, 20, 90), source="a", observed_at=_JULY + timedelta(days=1))
    publish(make_lines(30, 40), source="b")
    publish(make_lines(7, model="A100"), source="b", observed_at=_JULY)
    discard_import(context, receive(make_lines(1, model="B200")), "test")
    publish("x\n", source="b")
    (model,) = survey_models(context, limit=10)
    assert ("H100", 5, 10, 30, 90, 38) == (
        *(model.model, model.listing_count, model.min_price),
        *(model.median_price, model.max_price, model.avg_price),
    )
    assert (80, 350, 7, True, None) == (
        model.vram_gb,
        model.tdp_watts,
        model.mig_support,
        model.nvlink,
        model.generation,
    )


def test_models_are_paged_by_name(
    context: Context, publish: Callable[..., str], make_lines: Callable[..., str]
) -> None:
    """From the first one past a name."""
    for number, model in enumerate(["B", "a", "C", "A"]):
        publish(make_lines(number + 1, model=model), source=model)
    assert ["A", "B"] == [found.model for found in survey_models(context, limit=2)]
    assert ["C", "a"] == [found.model for found in survey_models(context, limit=2, after="B")]
    assert [] == survey_models(context, limit=2, after="a")


def test_artifacts_are_found_by_role(
    context: Context, receive: Callable[..., str], make_import: Callable[[Status], str]
) -> None:
    """The bytes are those that were submitted, whatever became of the import."""
    content = "canonical_model;price\n"
    import_id = receive(content)
    run_next(context, "worker")
    for role in (None, "batch"):
        assert content == inspect_artifact(context, import_id, role).path.read_text()
    with pytest.raises(ArtifactNotFound):
        inspect_artifact(context, import_id, "scored")
    with pytest.raises(ImportNotFound):
        inspect_artifact(context, "01997c1e-4a00-7d5e-9c39-0f6a4cf0a1b2")


def test_an_import_of_the_field_has_no_artifact(
    context: Context, publish: Callable[..., str], make_lines: Callable[..., str], execute: Callable[..., list[Any]]
) -> None:
    """What was found in a database was submitted to another service."""
    import_id = publish(make_lines(1))
    execute("DELETE FROM import_artifacts WHERE import_id = :id", id=import_id)
    with pytest.raises(ArtifactNotFound, match="its roles: none"):
        inspect_artifact(context, import_id)
    assert [] == report_import(context, import_id).artifacts
