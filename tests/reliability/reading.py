"""A reader that never stops asking while processes die, and that nothing half-visible escapes (G3)."""

import random
import threading
import time
from collections.abc import Mapping
from types import TracebackType
from typing import Self

from sqlalchemy import text

from glyphd.services.browsing import ListingQuery, browse_listings
from glyphd.services.context import Context
from glyphd.services.surveying import survey_models
from tests.reliability.batches import Batch


class Reader:
    """Reads in a thread until left; raises then what it found wrong. ``batches`` may grow meanwhile, by source."""

    def __init__(self, context: Context, batches: Mapping[str, Batch], seed: int) -> None:
        self._context = context
        self._batches = batches
        self._random = random.Random(seed)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._read)
        self._wrong: BaseException | None = None
        self.reads = 0

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, at: TracebackType | None) -> None:
        self._stop.set()
        self._thread.join()
        if self._wrong is not None:
            raise self._wrong

    def _read(self) -> None:
        try:
            while not self._stop.is_set():
                self._read_models()
                self._read_listings()
                self._read_one_model()
                self._read_view()
                self.reads += 1
                time.sleep(0.02)
        except BaseException as exc:
            self._wrong = exc

    def _read_models(self) -> None:
        """Each source has one batch: its models are all there with all their rows, or not at all."""
        found: dict[str, dict[str, int]] = {}
        for summary in survey_models(self._context, limit=100_000):
            found.setdefault(summary.model.rsplit("-", 1)[0], {})[summary.model] = summary.listing_count
        for tag, counts in found.items():
            assert self._batches[tag].model_counts == counts, f"{tag} is half visible"

    def _read_listings(self) -> None:
        """The newest import comes first and from its first row, without a gap; it was published before."""
        page = browse_listings(self._context, ListingQuery(), limit=500)
        by_import: dict[str, list[int]] = {}
        for row in page.items:
            by_import.setdefault(row["import_id"], []).append(row["import_index"])
        published = self._published()
        for import_id, indices in by_import.items():
            assert import_id in published, f"{import_id} was read before it was published"
            batch = self._batches[published[import_id]]
            assert [row[0] for row in batch.rows[: len(indices)]] == indices

    def _published(self) -> dict[str, str]:
        with self._context.database.reading() as connection:
            query = text("SELECT import_id, source FROM import_batches WHERE status = 'published'")
            return {row.import_id: row.source for row in connection.execute(query)}

    def _read_one_model(self) -> None:
        batch = self._random.choice(list(self._batches.values()) or [Batch("none", 1)])
        model = batch.model(1)
        page = browse_listings(self._context, ListingQuery(model=model), limit=100)
        expected = [row[0] for row in batch.rows if row[1] == model][:100]
        assert [row["import_index"] for row in page.items] in ([], expected)

    def _read_view(self) -> None:
        """What third parties read by SQL: every import's visible count is its full count."""
        with self._context.database.reading() as connection:
            sources = "SELECT b.source, count(*) FROM visible_listings l JOIN import_batches b USING (import_id)"
            for tag, count in connection.execute(text(f"{sources} GROUP BY b.import_id, b.source")):
                assert len(self._batches[tag].rows) == count, f"{tag} is half visible"
