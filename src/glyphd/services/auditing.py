"""Audit an import: derive what reads need, reconcile the counts inside the database, and publish it.

The derived rows go in short steps. Counting happens in a snapshot, before the last transaction: the rows of a running
import change only under its fencing token, which that transaction compares, so that it stays one row's update
whatever the import's size.
"""

from collections.abc import Callable
from typing import Any

import polars as pl

from glyphd.domain.imports import Import, PublishMode, Status
from glyphd.errors import CountsDisagree
from glyphd.ingest.derivation import Derivation
from glyphd.services.context import Context
from glyphd.store import events, imports, rejections, rows
from glyphd.store.unit_of_work import UnitOfWork

ROWS_PER_STEP = 25_000

_Append = Callable[[UnitOfWork, str, pl.DataFrame], None]


def audit_import(context: Context, held: Import, outcome: dict[str, Any], derivation: Derivation) -> Import:
    """Finish a run that stored every record; return the import as published or staged.

    Raises CountsDisagree, LeaseLost.
    """
    _append_derived(context, held, derivation)
    count = _reconcile(context, held, outcome)
    ranges = {
        "min_price": derivation.min_price,
        "max_price": derivation.max_price,
        "min_score": derivation.min_score,
        "max_score": derivation.max_score,
        "uncounted_facets": derivation.uncounted_facets,
    }
    return _finish(context, held, {**outcome, **ranges, "count": count})


def _append_derived(context: Context, held: Import, derivation: Derivation) -> None:
    for frame in derivation.sightings():
        _append_steps(context, held, frame, rows.append_sightings)
    _append_steps(context, held, derivation.statistics(), rows.append_statistics)
    _append_steps(context, held, derivation.facets(), rows.append_facets)


def _append_steps(context: Context, held: Import, frame: pl.DataFrame, append: _Append) -> None:
    for part in frame.iter_slices(ROWS_PER_STEP):
        with context.database.writing(durable=False) as work:
            imports.update_running(work.connection, held, {"lease_expires_at": context.clock() + context.lease})
            append(work, held.import_id, part)
            work.commit()
        context.database.give_way()


def _reconcile(context: Context, held: Import, outcome: dict[str, Any]) -> int:
    """Return how many rows the database holds, after comparing with what was read (G1, G2).

    The positions 1…n are there once each exactly if their number is n and their sum n(n+1)/2, given that they are
    unique among the rows and among the rejections.
    """
    with context.database.reading() as connection:
        count, rows_sum = rows.count_listings(connection, held.import_id)
        rejected, rejections_sum = rejections.count_rejections(connection, held.import_id)
        sighted = rows.count_sightings(connection, held.import_id)
        orphans = rows.count_orphans(connection, held.import_id)
    received = outcome["received"]
    expected = (received, received * (received + 1) // 2, outcome["rejected"], count, 0)
    found = (count + rejected, rows_sum + rejections_sum, rejected, sighted, orphans)
    if found != expected:
        raise CountsDisagree(
            f"{received} records were read; the database holds {count} rows, {rejected} rejections, {sighted} "
            f"sightings and {orphans} rows of unknown models."
        )
    return count


def _finish(context: Context, held: Import, values: dict[str, Any]) -> Import:
    now = context.clock()
    published = held.publish_mode is PublishMode.AUTO
    status = Status.PUBLISHED if published else Status.STAGED
    with context.database.writing() as work:
        connection = work.connection
        imports.hold_source(work, held.source)
        imports.update_running(
            connection,
            held,
            {
                **values,
                "status": status,
                "record_count": values["count"],
                "previous_import_id": imports.previous_of(connection, held),
                "completed_at": now,
                "published_at": now if published else None,
                "lease_expires_at": None,
            },
        )
        details = {"count": values["count"], "rejected": values["rejected"]}
        events.add_event(connection, held.import_id, now, held.worker or "worker", str(status), status, details=details)
        work.commit()
        return imports.find_import(connection, held.import_id)
