"""The installation of a server, through the client."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import typer

from glyphd.cli.installation import Installation, Watcher
from glyphd.cli.output import whoever
from glyphd.client import Client
from glyphd.client.options import DiffQuery
from glyphd.domain.diff import Diff, DiffFilters
from glyphd.domain.history import Bucket, PriceBucket, Sighting
from glyphd.domain.imports import ImportFilters
from glyphd.domain.market_report import ReportFormat
from glyphd.domain.report import (
    ExportFormat,
    ImportEvent,
    ImportReport,
    RejectedRecord,
    RejectionVariant,
    ValidationReport,
)
from glyphd.errors import MalformedRequest
from glyphd.settings import Settings


class RemoteInstallation:
    """What a server answers."""

    def __init__(self, client: Client) -> None:
        """Ask through a client."""
        self._client = client
        self.report = client.report
        self.discard = client.discard
        self.publish = client.publish
        self.rollback = client.rollback
        self.restore = client.restore
        self.explain = client.explain
        self.digest = client.digest

    def submit(
        self, files: Mapping[str, Path], options: Mapping[str, str], key: str | None, watcher: Watcher
    ) -> ImportReport:
        """Upload the files, and ask until they are imported."""
        submission: dict[str, Any] = {**options, "wait": False, "idempotency_key": key, "on_progress": watcher.sent}
        with _readable():
            if len(files) == 1:
                begun = self._client.import_file(files["batch"], **submission)
            else:
                begun = self._client.import_pipeline(files["enriched"], files["scored"], **submission)
        return self._client.wait(begun.import_id, on_progress=watcher.reported)

    def validate(self, files: Mapping[str, Path], options: Mapping[str, str], watcher: Watcher) -> ValidationReport:
        """Upload the files to be judged."""
        checking: dict[str, Any] = {**options, "on_progress": watcher.sent}
        with _readable():
            if len(files) == 1:
                return self._client.validate_file(files["batch"], **checking)
            return self._client.validate_pipeline(files["enriched"], files["scored"], **checking)

    def replay(self, import_id: str, reason: str | None, options: Mapping[str, str], watcher: Watcher) -> ImportReport:
        """Ask for a replay, and again until it is finished."""
        begun = self._client.replay(import_id, reason, wait=False, **options)
        return self._client.wait(begun.import_id, on_progress=watcher.reported)

    def imports(self, filters: ImportFilters, limit: int) -> list[ImportReport]:
        """Return reports, in the order that the filters ask for."""
        said = {name: value for name, value in asdict(filters).items() if value and name != "statuses"}
        return list(self._client.imports(limit=limit, status=filters.statuses, **said))

    def rejections(self, import_id: str, limit: int) -> list[RejectedRecord]:
        """Return rejections, by import_index."""
        return list(self._client.rejections(import_id, limit=limit))

    def rejections_csv(self, import_id: str, variant: RejectionVariant) -> Iterable[bytes]:
        """Return all of them as CSV."""
        return self._client.rejections_csv(import_id, variant)

    def events(self, import_id: str, limit: int) -> list[ImportEvent]:
        """Return events, oldest first."""
        return list(self._client.events(import_id, limit=limit))

    def export(self, form: ExportFormat, query: Mapping[str, Any]) -> Iterable[bytes]:
        """Return a file of all listings that a query finds."""
        return self._client.export(form, **query)

    def artifact(self, import_id: str, role: str | None) -> Iterable[bytes]:
        """Return the bytes of an artifact."""
        return self._client.artifact(import_id, role)

    def diff(self, target: str, base: str | None, filters: DiffFilters, limit: int) -> Diff:
        """Compare two imports."""
        found = self._client.diff(target, base, limit=limit, **_asked(filters))
        return replace(found, next=None)  # as many rows as were asked for

    def export_diff(self, target: str, base: str | None, filters: DiffFilters, form: ExportFormat) -> Iterable[bytes]:
        """Return all rows of a comparison as a file."""
        return self._client.export_diff(target, base, form=form, **_asked(filters))

    def history(self, model: str, bucket: Bucket, period: Mapping[str, str], limit: int) -> list[PriceBucket]:
        """Return the prices of a model through time, oldest first."""
        asked: dict[str, Any] = {**period}
        return list(self._client.history(model, bucket, limit=limit, **asked))

    def deltas(self, filters: Mapping[str, Any], limit: int) -> list[Sighting]:
        """Return price and score moves, newest first."""
        asked: dict[str, Any] = {**filters}
        return list(self._client.deltas(limit=limit, **asked))

    def market_report(self, form: ReportFormat, query: Mapping[str, Any]) -> bytes:
        """Return a market report as the server writes it."""
        return self._client.market_report_file(form, **query)


def _asked(filters: DiffFilters) -> DiffQuery:
    return {
        "change": filters.changes,
        "model": filters.model,
        "min_price_change_pct": filters.min_price_change_pct,
        "sort": filters.sort,
    }


@contextmanager
def _readable() -> Iterator[None]:
    """Say of a file that cannot be read what a local import says."""
    try:
        yield
    except OSError as exc:
        raise MalformedRequest(f"{exc.filename} cannot be read: {exc.strerror}.") from exc


@contextmanager
def opened(settings: Settings) -> Iterator[Installation]:
    """Connect to the server that the settings name; what is no URL is a wrong usage."""
    token = settings.api_token.get_secret_value() if settings.api_token else None
    try:
        client = Client(settings.url or "", token=token, actor=whoever())
    except ValueError as exc:
        raise typer.BadParameter(str(exc), param_hint="--url") from exc
    with client:
        yield RemoteInstallation(client)
