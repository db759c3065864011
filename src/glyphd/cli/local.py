"""The installation of this machine: the services, on its own database."""

import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from glyphd.bootstrap import opened_context
from glyphd.cli.installation import Installation, Watcher
from glyphd.cli.output import whoever
from glyphd.domain.imports import PENDING, ImportFilters
from glyphd.domain.lineage import Lineage
from glyphd.domain.receipts import Receipt
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
    digesting,
    discarding,
    explaining,
    exporting,
    inspecting,
    publishing,
    replaying,
    reporting,
    returning,
    rolling_back,
    validating,
)
from glyphd.services.browsing import ListingQuery
from glyphd.services.context import Context
from glyphd.services.idempotency import claimed
from glyphd.services.options import parse_moment
from glyphd.services.placing import read_options
from glyphd.services.receiving import PORTION_BYTES, receive_import, store_file
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
        with claimed(self._context, key) as claim:
            read = read_options(self._context, options)
            stored = [store_file(self._context, file, role) for role, file in files.items()]
            import_id = receive_import(self._context, read, stored, whoever(), claim=claim)
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
        """Return reports, newest first."""
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

    def lineage(self, import_id: str, import_index: int) -> Lineage:
        """Return where one record came from and what became of it."""
        return explaining.explain_record(self._context, import_id, import_index)

    def export(self, form: ExportFormat, query: Mapping[str, Any]) -> Iterable[bytes]:
        """Return a file of all listings that a query finds."""
        moments = {name: parse_moment(name, query[name]) for name in ("after", "before", "as_of") if name in query}
        return exporting.export_listings(self._context, ListingQuery(**{**query, **moments}), form)

    def digest(self, import_id: str) -> str:
        """Return the row digest."""
        return digesting.digest_import(self._context, import_id)


@contextmanager
def opened(settings: Settings) -> Iterator[Installation]:
    """Open the database that the settings name. Raises StoreUnavailable, SchemaOutOfDate."""
    configure_logs("ERROR")
    with opened_context(settings) as context:
        yield LocalInstallation(context)
