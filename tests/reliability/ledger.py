"""What must hold of an installation whatever happened to it."""

import hashlib
from collections.abc import Iterable
from pathlib import Path

from sqlalchemy import Connection, text

from glyphd.domain.imports import ImportFilters, Status
from glyphd.domain.report import ImportReport
from glyphd.services.context import Context
from glyphd.services.options import ImportOptions
from glyphd.services.receiving import receive_import, store_artifact
from glyphd.services.reporting import report_imports
from tests.reliability.batches import Batch

_ROWS_OF_AN_IMPORT = ("scored_listings", "sightings", "import_model_stats", "import_facets")


def submit(context: Context, batch: Batch) -> str:
    """Receive a batch as a server does; nobody runs it yet."""
    with context.artifacts.writing() as writer:
        writer.write(batch.content)
        artifact = store_artifact(writer, "text/csv", f"{batch.tag}.csv")
    return receive_import(context, ImportOptions(source=batch.tag), [artifact], "test")


def reports_of(context: Context) -> dict[str, ImportReport]:
    """Return the report of every import by source."""
    reports, _ = report_imports(context, ImportFilters(), limit=10_000)
    return {report.source: report for report in reports}


def all_finished(context: Context) -> bool:
    """Tell whether no import waits or runs, and nothing is left to clean up."""
    with context.database.reading() as connection:
        query = "SELECT count(*) FROM import_batches WHERE status IN ('received', 'running') OR rows_to_remove"
        return connection.execute(text(query)).scalar_one() == 0


def check_installation(context: Context, batches: Iterable[Batch]) -> None:
    """Assert that every import is published with exactly its rows or failed with none, and the database is sound."""
    batch_of = {batch.tag: batch for batch in batches}
    reports = reports_of(context)
    with context.database.reading() as connection:
        for report in reports.values():
            if report.status is Status.PUBLISHED:
                _check_published(connection, report, batch_of[report.source])
            else:
                assert {Status.FAILED, Status.DISCARDED} >= {report.status}, report
                assert report.status is Status.DISCARDED or report.failure, report
                assert 0 == report.count
    check_soundness(context)


def check_soundness(context: Context) -> None:
    """Assert what must hold whatever was imported: references, no leftovers, artifacts as they were submitted."""
    with context.database.reading() as connection:
        _check_database(connection)
        _check_no_leftovers(connection)
    _check_artifacts(context)


def _check_published(connection: Connection, report: ImportReport, batch: Batch) -> None:
    named = {"import_id": report.import_id}
    expected = batch.rows
    rows = connection.execute(
        text(
            "SELECT import_index, canonical_model, price, score, seller FROM scored_listings"
            " WHERE import_id = :import_id ORDER BY import_index"
        ),
        named,
    )
    assert expected == [tuple(row) for row in rows], report.import_id
    assert (batch.records, len(batch.rows), len(batch.rejected)) == (report.received, report.count, report.rejected)
    rejected = connection.execute(
        text("SELECT import_index FROM import_rejections WHERE import_id = :import_id ORDER BY import_index"), named
    )
    assert batch.rejected == list(rejected.scalars())
    seen = connection.execute(
        text(
            "SELECT import_index, canonical_model, price, score FROM sightings"
            " WHERE import_id = :import_id ORDER BY import_index"
        ),
        named,
    )
    assert [row[:4] for row in expected] == [tuple(row) for row in seen]
    figures = connection.execute(
        text("SELECT canonical_model, listing_count FROM import_model_stats WHERE import_id = :import_id"), named
    )
    assert batch.model_counts == {row.canonical_model: row.listing_count for row in figures}
    _check_events(connection, report)


def _check_events(connection: Connection, report: ImportReport) -> None:
    query = text("SELECT action FROM import_events WHERE import_id = :import_id ORDER BY id")
    actions = list(connection.execute(query, {"import_id": report.import_id}).scalars())
    assert ["received", "started"] == actions[:2]
    assert ["published"] == actions[-1:]
    assert {"taken_over"} >= set(actions[2:-1]), actions


def _check_database(connection: Connection) -> None:
    """Nothing is without its import or its model, whether or not the engine has keys that see to it (G1)."""
    if connection.dialect.name == "sqlite":
        assert ["ok"] == list(connection.execute(text("PRAGMA integrity_check")).scalars())
        assert [] == list(connection.execute(text("PRAGMA foreign_key_check")))
    for table in (*_ROWS_OF_AN_IMPORT, "import_rejections", "import_events", "import_artifacts"):
        of_none = text(f"SELECT count(*) FROM {table} WHERE import_id NOT IN (SELECT import_id FROM import_batches)")
        assert 0 == connection.execute(of_none).scalar_one(), table
    unknown = text("SELECT count(*) FROM scored_listings WHERE canonical_model NOT IN (SELECT model FROM models)")
    assert 0 == connection.execute(unknown).scalar_one()


def _check_no_leftovers(connection: Connection) -> None:
    for table in _ROWS_OF_AN_IMPORT:
        left = connection.execute(
            text(
                f"SELECT import_id, count(*) FROM {table} WHERE import_id NOT IN"
                " (SELECT import_id FROM import_batches WHERE status = 'published') GROUP BY import_id"
            )
        )
        assert [] == list(left), table


def _check_artifacts(context: Context) -> None:
    """Every artifact that an import names is there and is what was submitted."""
    with context.database.reading() as connection:
        digests = list(connection.execute(text("SELECT DISTINCT sha256 FROM import_artifacts")).scalars())
    for digest in digests:
        path: Path = context.artifacts.locate(digest)
        assert digest == hashlib.sha256(path.read_bytes()).hexdigest()
