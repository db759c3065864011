"""The installation of this machine: the services, on its own database."""

import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import timedelta
from itertools import islice
from pathlib import Path
from typing import Any

from glyphd.bootstrap import opened_context
from glyphd.cli.installation import Installation, Watcher
from glyphd.cli.output import whoever
from glyphd.domain.diff import Diff, DiffFilters
from glyphd.domain.history import Bucket, PriceBucket, Sighting
from glyphd.domain.imports import PENDING, ImportFilters, Status
from glyphd.domain.lineage import Lineage
from glyphd.domain.market_report import ReportFormat
from glyphd.domain.receipts import PurgeReceipt, Receipt
from glyphd.domain.report import (
    ExportFormat,
    ImportEvent,
    ImportReport,
    RejectedRecord,
    RejectionVariant,
    ValidationReport,
)
from glyphd.errors import GlyphdError
from glyphd.logs import configure_logs
from glyphd.services import (
    charting,
    comparing,
    digesting,
    discarding,
    explaining,
    exporting,
    following,
    inspecting,
    publishing,
    purging,
    replaying,
    reporting,
    reporting_market,
    returning,
    rolling_back,
    validating,
)
from glyphd.services.browsing import ListingQuery
from glyphd.services.context import Context
from glyphd.services.idempotency import claimed
from glyphd.services.options import parse_moment
from glyphd.services.periods import read_period
from glyphd.services.placing import read_options
from glyphd.services.receiving import PORTION_BYTES, holding, receive_import, store_file
from glyphd.services.running import run_next
from glyphd.settings import Settings
from glyphd.worker.loop import POLL_SECONDS, worker_name

_LOOK_SECONDS = 0.2


class LocalInstallation:
    """What is in the database of this machine; imports are run by this process, whether or not a worker is there."""

    def __init__(self, context: Context) -> None:
        """Work on the stores of a context."""
        self._context = context

    def submit(
        self, files: Mapping[str, Path], options: Mapping[str, str], key: str | None, watcher: Watcher
    ) -> ImportReport:
        """Store the files, and run their import."""
        with claimed(self._context, key) as claim, holding(self._context) as context:
            read = read_options(context, options)
            stored = [store_file(context, file, role) for role, file in files.items()]
            import_id = receive_import(context, read, stored, whoever(), claim=claim)
        return self._run(import_id, watcher)

    def validate(self, files: Mapping[str, Path], options: Mapping[str, str], _watcher: Watcher) -> ValidationReport:
        """Judge the files in this process."""
        return validating.validate_files(self._context, read_options(self._context, options), files)

    def replay(self, import_id: str, reason: str | None, options: Mapping[str, str], watcher: Watcher) -> ImportReport:
        """Write the replay, and run it."""
        read = read_options(self._context, options)
        replay_id = replaying.replay_import(
            self._context,
            import_id,
            whoever(),
            reason,
            publish=read.publish,
            schema_version=options.get("schema_version"),
        )
        return self._run(replay_id, watcher)

    def _run(self, import_id: str, watcher: Watcher) -> ImportReport:
        """Run waiting imports until this one is finished; a worker of a server on the same database may be quicker."""
        name = worker_name()
        with self._watched(import_id, watcher):
            while (report := self.report(import_id)).status in PENDING:
                if not run_next(self._context, name):
                    time.sleep(POLL_SECONDS)
        return report

    @contextmanager
    def _watched(self, import_id: str, watcher: Watcher) -> Iterator[None]:
        """Tell the watcher again and again how far an import has come, until the block ends."""
        over = threading.Event()

        def look() -> None:
            with suppress(GlyphdError):  # whoever runs the import meets it as well, and says so
                while not over.wait(_LOOK_SECONDS):
                    watcher.reported(self.report(import_id))

        looking = threading.Thread(target=look, daemon=True)
        looking.start()
        try:
            yield
        finally:
            over.set()
            looking.join()

    def imports(self, filters: ImportFilters, limit: int) -> list[ImportReport]:
        """Return reports, in the order that the filters ask for."""
        return reporting.report_imports(self._context, filters, limit=limit)[0]

    def report(self, import_id: str) -> ImportReport:
        """Return one report."""
        return reporting.report_import(self._context, import_id)

    def rejections(self, import_id: str, limit: int) -> list[RejectedRecord]:
        """Return rejections, by import_index."""
        return inspecting.inspect_rejections(self._context, import_id, limit=limit)[0]

    def rejections_csv(self, import_id: str, variant: RejectionVariant) -> Iterable[bytes]:
        """Return all of them as CSV."""
        return returning.return_rejections(self._context, import_id, variant)

    def events(self, import_id: str, limit: int) -> list[ImportEvent]:
        """Return events, oldest first."""
        return list(map(inspecting.told, inspecting.inspect_events(self._context, import_id, limit=limit)))

    def artifact(self, import_id: str, role: str | None) -> Iterable[bytes]:
        """Return the bytes of an artifact."""
        with inspecting.inspect_artifact(self._context, import_id, role).path.open("rb") as file:
            while portion := file.read(PORTION_BYTES):
                yield portion

    def discard(self, import_id: str, reason: str | None) -> ImportReport:
        """Take an import out before it is published."""
        discarding.discard_import(self._context, import_id, whoever(), reason)
        return self.report(import_id)

    def publish(self, import_id: str, reason: str | None) -> ImportReport:
        """Make a staged import visible."""
        publishing.publish_import(self._context, import_id, whoever(), reason)
        return self.report(import_id)

    def rollback(self, import_id: str, reason: str | None) -> Receipt:
        """Take a published import out of every read."""
        return rolling_back.roll_back_import(self._context, import_id, whoever(), reason)

    def restore(self, import_id: str, reason: str | None) -> Receipt:
        """Put a rolled-back import back into every read."""
        return rolling_back.restore_import(self._context, import_id, whoever(), reason)

    def diff(self, target: str, base: str | None, filters: DiffFilters, limit: int) -> Diff:
        """Compare two imports."""
        return comparing.compare_imports(self._context, target, base, filters, limit=limit)[0]

    def export_diff(self, target: str, base: str | None, filters: DiffFilters, form: ExportFormat) -> Iterable[bytes]:
        """Return all rows of a comparison as a file."""
        return comparing.export_diff(self._context, target, base, filters, form)

    def purge(
        self, import_ids: Sequence[str], statuses: Sequence[Status], older_than: timedelta, **terms: Any
    ) -> Iterable[PurgeReceipt]:
        """Purge imports by name, and those that have been in a state for so long."""
        found = purging.find_purgeable(self._context, statuses, older_than) if statuses else []
        dry_run = terms.pop("dry_run")
        wanted = purging.PurgeTerms(whoever(), **terms)
        return purging.purge_imports(self._context, [*import_ids, *found], wanted, dry_run=dry_run)

    def explain(self, listing: str) -> Lineage:
        """Return the lineage of a listing."""
        return explaining.explain_listing(self._context, *explaining.find_record(self._context, listing))

    def export(self, form: ExportFormat, query: Mapping[str, Any]) -> Iterable[bytes]:
        """Return a file of all listings that a query finds."""
        moments = {name: parse_moment(name, query[name]) for name in ("after", "before", "as_of") if name in query}
        return exporting.export_listings(self._context, ListingQuery(**{**query, **moments}), form)

    def digest(self, import_id: str) -> str:
        """Return the row digest."""
        return digesting.digest_import(self._context, import_id)

    def history(self, model: str, bucket: Bucket, period: Mapping[str, str], limit: int) -> list[PriceBucket]:
        """Return the prices of a model through time, oldest first."""
        return charting.chart_prices(self._context, model, bucket, read_period(**period), limit=limit).items

    def deltas(self, filters: Mapping[str, Any], limit: int) -> list[Sighting]:
        """Return price and score moves, newest first."""
        return list(islice(following.all_moves(self._context, following.read_query(**filters)), limit))

    def market_report(self, form: ReportFormat, query: Mapping[str, Any]) -> bytes:
        """Return a market report; what it is about is named as in the HTTP API."""
        return reporting_market.write_market_report(self._context, reporting_market.read_query(query), form)


@contextmanager
def opened(settings: Settings) -> Iterator[Installation]:
    """Open the database that the settings name. Raises StoreUnavailable, SchemaOutOfDate."""
    configure_logs("ERROR")
    with opened_context(settings) as context:
        yield LocalInstallation(context)
