"""What a client asks about the market through time: each method one call of the HTTP API."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Unpack
from urllib.parse import quote

from glyphd.client.connection import Connection
from glyphd.client.options import (
    DeltaQuery,
    DiffQuery,
    MarketOptions,
    PeriodQuery,
    as_parameters,
)
from glyphd.client.paging import read_pages
from glyphd.client.submitting import path_of
from glyphd.domain.diff import Diff
from glyphd.domain.history import PriceBucket, Sighting
from glyphd.domain.lineage import Lineage
from glyphd.domain.market_report import MarketReport

if TYPE_CHECKING:
    pass


class LineageReads:
    """Reads that compare, follow, report and explain."""

    _server: Connection

    def diff(
        self, import_id: str, against: str | None = None, *, limit: int = 100, **filters: Unpack[DiffQuery]
    ) -> Diff:
        """Compare an import with an earlier one, by default its previous: all figures, and the first ``limit`` rows.

        Raises ImportNotFound, IllegalTransition, InvalidParameter.
        """
        params = as_parameters({"against": against, "limit": limit, **filters})
        return self._server.get(path_of(import_id, "diff"), Diff, params)

    def export_diff(
        self, import_id: str, against: str | None = None, *, form: str = "csv", **filters: Unpack[DiffQuery]
    ) -> Iterator[bytes]:
        """Yield all rows of a comparison as a file: csv, ndjson or parquet. Raises as :meth:`diff`."""
        params = as_parameters({"against": against, "format": form, **filters})
        with self._server.stream(path_of(import_id, "diff"), params) as answer:
            yield from answer.iter_bytes()

    def lineage(self, import_id: str, import_index: int) -> Lineage:
        """Return from where one record of an import is. Raises ImportNotFound, ListingNotFound."""
        path = f"/api/listings/{quote(import_id, safe='')}/{import_index}/lineage"
        return self._server.get(path, Lineage)

    def explain(self, listing: str) -> Lineage:
        """Return the lineage of a listing: by listing_key, `id`, or `IMPORT_ID:INDEX`. Raises ListingNotFound."""
        import_id, _, index = listing.rpartition(":")
        if import_id and index.isdecimal():
            return self.lineage(import_id, int(index))
        return self._server.get(f"/api/listings/{quote(listing, safe='')}/lineage", Lineage)

    def history(
        self, model: str, bucket: str = "day", *, limit: int | None = None, **period: Unpack[PeriodQuery]
    ) -> Iterator[PriceBucket]:
        """Yield the prices of a model by `import`, `day`, `week` or `month`, oldest first, gaps included."""
        path, params = f"/api/models/{quote(model, safe='')}/history", as_parameters({"bucket": bucket, **period})
        return read_pages(self._server, path, PriceBucket, params, limit=limit)

    def listing_history(self, listing_key: str, *, limit: int | None = None) -> Iterator[Sighting]:
        """Yield every sighting of one offer, newest first, with what moved since the one before."""
        return read_pages(self._server, f"/api/listings/{quote(listing_key)}/history", Sighting, {}, limit=limit)

    def deltas(self, *, limit: int | None = None, **filters: Unpack[DeltaQuery]) -> Iterator[Sighting]:
        """Yield price and score moves between successive sightings of one offer in one source, newest first."""
        return read_pages(self._server, "/api/deltas", Sighting, as_parameters(filters), limit=limit)

    def market_report(self, **about: Unpack[MarketOptions]) -> MarketReport:
        """Return the market report of an import, or of the current view. Raises ImportNotFound, IllegalTransition."""
        return self._server.get("/api/report", MarketReport, {**as_parameters(about), "format": "json"})

    def market_report_file(self, form: str, **about: Unpack[MarketOptions]) -> bytes:
        """Return a market report as `md`, `html` or `json`. Raises as :meth:`market_report`."""
        return self._server.ask("GET", "/api/report", params={**as_parameters(about), "format": form}).content
