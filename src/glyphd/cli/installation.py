"""What commands work on: the installation of this machine, or that of a server, the same to each of them."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

import typer

from glyphd.cli.output import failures_reported, read_settings
from glyphd.domain.diff import Diff, DiffFilters
from glyphd.domain.history import Bucket, PriceBucket, Sighting
from glyphd.domain.imports import ImportFilters
from glyphd.domain.lineage import Lineage
from glyphd.domain.market_report import ReportFormat
from glyphd.domain.receipts import Receipt
from glyphd.domain.report import (
    ExportFormat,
    ImportEvent,
    ImportReport,
    RejectedRecord,
    RejectionVariant,
    ValidationReport,
)
from glyphd.settings import Settings

given_url: ContextVar[str | None] = ContextVar("given_url", default=None)
"""What `--url` says."""


class Watcher(Protocol):
    """Is told how far an import has come."""

    def sent(self, done: int, total: int | None) -> None:
        """Take how many bytes are where they are imported from."""

    def reported(self, report: ImportReport) -> None:
        """Take the report of an import that is not finished."""


class Installation(Protocol):
    """Imports and what is known of them; every method raises what :mod:`glyphd.errors` has for its case."""

    def submit(
        self, files: Mapping[str, Path], options: Mapping[str, str], key: str | None, watcher: Watcher
    ) -> ImportReport:
        """Import one batch, its files given by role, and return its report once it is finished, failed ones too."""
        ...

    def validate(self, files: Mapping[str, Path], options: Mapping[str, str], watcher: Watcher) -> ValidationReport:
        """Return what an import of one batch would report; nothing is stored."""
        ...

    def replay(self, import_id: str, reason: str | None, options: Mapping[str, str], watcher: Watcher) -> ImportReport:
        """Import a batch's artifacts again, and return the replay's report once it is finished."""
        ...

    def imports(self, filters: ImportFilters, limit: int) -> list[ImportReport]:
        """Return reports, in the order that the filters ask for."""
        ...

    def report(self, import_id: str) -> ImportReport:
        """Return one report."""
        ...

    def rejections(self, import_id: str, limit: int) -> list[RejectedRecord]:
        """Return rejections, by import_index."""
        ...

    def rejections_csv(self, import_id: str, variant: RejectionVariant) -> Iterable[bytes]:
        """Return all of them as CSV."""
        ...

    def events(self, import_id: str, limit: int) -> list[ImportEvent]:
        """Return events, oldest first."""
        ...

    def artifact(self, import_id: str, role: str | None) -> Iterable[bytes]:
        """Return the bytes of an artifact."""
        ...

    def discard(self, import_id: str, reason: str | None) -> ImportReport:
        """Take an import out before it is published."""
        ...

    def publish(self, import_id: str, reason: str | None) -> ImportReport:
        """Make a staged import visible."""
        ...

    def rollback(self, import_id: str, reason: str | None) -> Receipt:
        """Take a published import out of every read."""
        ...

    def restore(self, import_id: str, reason: str | None) -> Receipt:
        """Put a rolled-back import back into every read."""
        ...

    def diff(self, target: str, base: str | None, filters: DiffFilters, limit: int) -> Diff:
        """Compare an import with an earlier one, by default its previous."""
        ...

    def export_diff(self, target: str, base: str | None, filters: DiffFilters, form: ExportFormat) -> Iterable[bytes]:
        """Return all rows of a comparison as a file."""
        ...

    def explain(self, listing: str) -> Lineage:
        """Return the lineage of a listing, named by its key, its row number, or IMPORT_ID:INDEX."""

    def export(self, form: ExportFormat, query: Mapping[str, Any]) -> Iterable[bytes]:
        """Return a file of all listings that a query finds."""
        ...

    def digest(self, import_id: str) -> str:
        """Return the row digest."""
        ...

    def history(self, model: str, bucket: Bucket, period: Mapping[str, str], limit: int) -> list[PriceBucket]:
        """Return the prices of a model through time, oldest first."""
        ...

    def deltas(self, filters: Mapping[str, Any], limit: int) -> list[Sighting]:
        """Return price and score moves, newest first."""

    def market_report(self, form: ReportFormat, query: Mapping[str, Any]) -> bytes:
        """Return a market report; what it is about is named as in the HTTP API."""
        ...


@contextmanager
def opened_installation() -> Iterator[Installation]:
    """Open what `--url` or GLYPHD_URL names, else what is here; failures in the block become exit codes.

    Only the one that is used is loaded: a client has no use for the database's libraries (0.3 s instead of 0.9 s).
    """
    settings = read_settings(url=given_url.get())
    module = import_module("glyphd.cli.remote" if settings.url else "glyphd.cli.local")
    with failures_reported(), module.opened(settings) as installation:
        yield installation


def read_local_settings(**given: Any) -> Settings:
    """Read the settings for a command that works on what is here only; with a server named, it is a wrong usage."""
    settings = read_settings(url=given_url.get(), **given)
    if settings.url:
        raise typer.BadParameter("This works on the installation of this machine only: leave out --url and GLYPHD_URL.")
    return settings
