"""G4, G3: a worker, a cleaner and a server die before each of their commits, since only those make a difference."""

from collections.abc import Callable
from functools import partial

import pytest

from glyphd.domain.imports import Status
from glyphd.services.browsing import ListingQuery, browse_listings
from glyphd.services.cleaning import clean_next
from glyphd.services.context import Context
from glyphd.services.discarding import discard_import
from glyphd.services.reporting import report_import
from glyphd.services.running import MAX_ATTEMPTS, run_next
from glyphd.services.surveying import survey_models
from glyphd.store.imports import release_leases
from tests.reliability.batches import Batch
from tests.reliability.dying import SURVIVED, clean_and_die, later, receive_and_die, run_and_die
from tests.reliability.ledger import check_installation, reports_of, submit
from tests.reliability.processes import Installation, fork

_BATCH = Batch("point", 21_000)  # three steps of rows


def test_a_worker_may_die_at_every_commit(make_installation: Callable[..., Installation]) -> None:
    """Whichever commit it does not reach, nothing shows before all does, and another worker finishes the import."""
    died = 0
    for commit in range(1, 100):
        installation = make_installation(f"run-{commit}")
        context = installation.context
        import_id = submit(context, _BATCH)
        if _exit_code(partial(run_and_die, installation.settings, commit)) == SURVIVED:
            break
        died += 1
        _check_whole_or_hidden(context, import_id)
        run_next(later(context), "successor")
        assert Status.PUBLISHED is report_import(context, import_id).status
        check_installation(context, [_BATCH])
    assert died >= (8 if context.database.url.get_backend_name() == "sqlite" else 6), "fewer commits than there were"


def test_a_worker_that_is_stopped_on_purpose_costs_no_attempt(make_installation: Callable[..., Installation]) -> None:
    """What it left is removed all the same, however often servers are restarted."""
    installation = make_installation()
    context = installation.context
    import_id = submit(context, _BATCH)
    for _ in range(MAX_ATTEMPTS + 1):
        _exit_code(partial(run_and_die, installation.settings, 3))  # after the claim and a step of rows
        with context.database.writing() as work:
            release_leases(work.connection, "dying", on_purpose=True)
            work.commit()
    run_next(context, "successor")
    assert Status.PUBLISHED is report_import(context, import_id).status
    check_installation(context, [_BATCH])


def test_a_cleaner_may_die_at_every_commit(make_installation: Callable[..., Installation]) -> None:
    """Rows of a discarded import go in the end, whichever commit a cleaner does not reach, and never show."""
    import_id = _discarded_with_rows(make_installation("template"))
    died = 0
    for commit in range(1, 100):
        installation = make_installation(f"clean-{commit}", like="template")
        context = installation.context
        if _exit_code(partial(clean_and_die, installation.settings, commit)) == SURVIVED:
            break
        died += 1
        _check_whole_or_hidden(context, import_id)
        while clean_next(context):
            pass
        check_installation(context, [_BATCH])
    assert died >= 6, "cleaning has fewer commits than it had"


@pytest.mark.parametrize("after", [False, True])
def test_a_server_may_die_at_the_commit_of_a_receipt(
    make_installation: Callable[..., Installation], after: bool
) -> None:
    """Before the commit there is no import and nothing to clean up; after it the import is finished by a worker."""
    installation = make_installation()
    _exit_code(partial(receive_and_die, installation.settings, _BATCH, after=after))
    run_next(installation.context, "worker")
    reports = reports_of(installation.context)
    assert ({"point": Status.PUBLISHED} if after else {}) == {tag: report.status for tag, report in reports.items()}
    check_installation(installation.context, [_BATCH])


def _exit_code(action: "partial[None]") -> int | None:
    process = fork(action)
    process.join()
    code = process.exitcode
    process.close()
    return code


def _discarded_with_rows(installation: Installation) -> str:
    import_id = submit(installation.context, _BATCH)
    _exit_code(partial(run_and_die, installation.settings, 6))  # all rows and some sightings are there
    discard_import(installation.context, import_id, "test")
    installation.context.database.dispose()
    return import_id


def _check_whole_or_hidden(context: Context, import_id: str) -> None:
    published = report_import(context, import_id).status is Status.PUBLISHED
    models = {summary.model: summary.listing_count for summary in survey_models(context, limit=1000)}
    assert (_BATCH.model_counts if published else {}) == models
    for query in (ListingQuery(), ListingQuery(import_id=import_id), ListingQuery(model=_BATCH.model(1))):
        page = browse_listings(context, query, limit=1)
        assert published == bool(page.items)
