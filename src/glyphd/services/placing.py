"""Where a new import stands: a batch at the end of its source's chain, or an amendment beside the batch it mends."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from glyphd.domain.gates import GateLimits, requested_gates
from glyphd.domain.imports import AMENDABLE, Import, Kind
from glyphd.errors import ImportNotFound, InvalidParameter
from glyphd.services.context import Context
from glyphd.services.options import DEFAULT_SOURCE, ImportOptions, parse_options
from glyphd.services.refusing import refused
from glyphd.store import imports
from glyphd.store.unit_of_work import UnitOfWork

EVERY_SOURCE = "*"


def read_options(context: Context, *origins: Mapping[str, Any]) -> ImportOptions:
    """Read the options of an import from where they were said, and check that the parent can be amended.

    Raises as :func:`parse_options`; InvalidParameter for an unknown parent, IllegalTransition for one in a wrong state.
    """
    options = parse_options(*origins, now=context.clock())
    if options.parent_import_id is not None:
        with context.database.reading() as connection:
            _check_parent(connection, options, _find_parent(connection, options.parent_import_id))
    return options


def place_import(context: Context, work: UnitOfWork, options: ImportOptions, now: datetime) -> dict[str, Any]:
    """Return the columns that give an import its place; nobody takes it meanwhile. Raises as :func:`read_options`."""
    if options.parent_import_id is not None:
        return _amendment(work, options, options.parent_import_id)
    return _batch(context, work, options, now)


def _batch(context: Context, work: UnitOfWork, options: ImportOptions, now: datetime) -> dict[str, Any]:
    source, none = options.source or DEFAULT_SOURCE, GateLimits()
    usual = context.gates.get(source, none).over(context.gates.get(EVERY_SOURCE, none))
    return {
        "kind": Kind.BATCH,
        "source": source,
        "source_version": imports.next_source_version(work, source),
        "observed_at": options.observed_at or now,
        "gates": [asdict(gate) for gate in requested_gates(options.gates.over(usual))],
    }


def _amendment(work: UnitOfWork, options: ImportOptions, parent_id: str) -> dict[str, Any]:
    """Return the place of an amendment: of the crawl of its parent. The usual gates of a source are about crawls."""
    imports.hold_source(work, _find_parent(work.connection, parent_id).source)
    parent = imports.hold_import(work, parent_id)
    _check_parent(work.connection, options, parent)
    return {
        "kind": Kind.AMENDMENT,
        "source": parent.source,
        "parent_import_id": parent.import_id,
        "observed_at": parent.observed_at,
        "gates": [asdict(gate) for gate in requested_gates(options.gates)],
    }


def _find_parent(connection: Connection, import_id: str) -> Import:
    try:
        return imports.find_import(connection, import_id)
    except (ImportNotFound, InvalidParameter) as exc:
        raise InvalidParameter(exc.detail, parameter="parent_import_id") from exc


def _check_parent(connection: Connection, options: ImportOptions, parent: Import) -> None:
    if options.source not in {None, parent.source}:
        detail = f"The parent is of the source {parent.source!r}, and so are its amendments."
        raise InvalidParameter(detail, parameter="source")
    if options.observed_at not in {None, parent.observed_at}:
        detail = "An amendment belongs to its parent's crawl and has its observed_at: leave it out."
        raise InvalidParameter(detail, parameter="observed_at")
    if parent.kind is not Kind.BATCH or parent.status not in AMENDABLE:
        detail = (
            f"A batch that is staged or published can be amended; the parent is a {parent.kind} and {parent.status}."
        )
        raise refused(connection, parent, detail)
