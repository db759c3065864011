"""Audit an import: derive what reads need, reconcile the counts inside the database, and publish it.

The derived rows go in short steps. Counting happens in a snapshot, before the last transaction: the rows of a running
import change only under its fencing token, which that transaction compares, so that it stays one row's update
whatever the import's size.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any

import polars as pl
from sqlalchemy import Connection

from glyphd.domain.gates import Gate, GateFigures, evaluate_gates, limits_of, price_move, read_gates
from glyphd.domain.imports import Import, PublishMode, Status
from glyphd.errors import CountsDisagree
from glyphd.ingest.derivation import Derivation
from glyphd.services.context import Context
from glyphd.services.refusing import parent_is_published
from glyphd.store import events, imports, rejections, rows, statistics, visibility
from glyphd.store.unit_of_work import UnitOfWork

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
    for part in frame.iter_slices(context.database.step_rows.derived):
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
    figures = GateFigures(values["received"], values["count"], values["rejected"], _price_move(context, held))
    gates = evaluate_gates(read_gates(held.gates), figures)
    with context.database.writing() as work:
        imports.hold_source(work, held.source)
        status = _outcome(work, held, gates)
        outcome = {
            **values,
            "status": status,
            "gates": [asdict(gate) for gate in gates],
            "record_count": values["count"],
            "previous_import_id": _previous(work.connection, held),
            "completed_at": now,
            "published_at": now if status is Status.PUBLISHED else None,
            "lease_expires_at": None,
        }
        imports.update_running(work.connection, held, outcome)
        actor, details = held.worker or "worker", _details(values, gates)
        events.add_event(work.connection, held.import_id, now, actor, str(status), status, details=details)
        work.commit()
        return imports.find_import(work.connection, held.import_id)


def _previous(connection: Connection, held: Import) -> str | None:
    """Return what a batch follows; a replay follows what its batch did."""
    return held.previous_import_id if held.parent_import_id else imports.previous_of(connection, held)


def _price_move(context: Context, held: Import) -> float | None:
    """Return how far the prices are from those of the source's latest published batch, if a gate asks."""
    if limits_of(read_gates(held.gates)).max_price_move is None:
        return None
    with context.database.reading() as connection:
        previous = _previous(connection, held)
        if previous is None:
            return None
        standing = visibility.standing_for(connection, previous)
        return price_move(
            statistics.median_prices(connection, held.import_id), statistics.median_prices(connection, standing)
        )


def _outcome(work: UnitOfWork, held: Import, gates: Sequence[Gate]) -> Status:
    """Publish, unless somebody wants to look first, a gate failed, or what the import hangs on is not published."""
    clean = all(gate.passed for gate in gates)
    publishes = held.publish_mode is PublishMode.AUTO and clean and parent_is_published(work.connection, held)
    return Status.PUBLISHED if publishes else Status.STAGED


def _details(values: dict[str, Any], gates: Sequence[Gate]) -> dict[str, Any]:
    failed = [gate.gate for gate in gates if not gate.passed]
    counts = {"count": values["count"], "rejected": values["rejected"]}
    return {**counts, "failed_gates": failed} if failed else counts
