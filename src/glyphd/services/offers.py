"""The rows that figures of the market name, read once and told as offers."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection

from glyphd.domain.market_report import LEAST_PRICE, Anomaly, Offer
from glyphd.services.market_figures import Best
from glyphd.store import listings


class Offers:
    """The rows of some imports, each by the import's place among them and its import_index."""

    def __init__(self, connection: Connection, import_ids: Sequence[str]) -> None:
        """Know of which imports the rows are, and read none yet."""
        self._connection, self._import_ids = connection, import_ids
        self._rows: dict[tuple[int, int], Mapping[str, Any]] = {}

    def read(self, *named: Best) -> None:
        """Read every row that is named, once."""
        for place, import_id in enumerate(self._import_ids):
            wanted = {row["import_index"] for best in named for row in _rows(best) if row["place"] == place}
            found = listings.rows_at(self._connection, import_id, sorted(wanted)) if wanted else {}
            self._rows |= {(place, index): row for index, row in found.items()}

    def of(self, best: Best) -> list[Offer]:
        """Return rows that were read."""
        return [self._offer(row) for row in _rows(best)]

    def anomalies(self, best: Best) -> list[Anomaly]:
        """Return rows that were read, and how far each is from the median of its model."""
        return [Anomaly(self._offer(row), row["median"], row["deviation"]) for row in _rows(best)]

    def _offer(self, sighting: Mapping[str, Any]) -> Offer:
        row = self._rows[sighting["place"], sighting["import_index"]]
        price, score = sighting["price"], sighting["score"]
        return Offer(
            import_id=row["import_id"],
            import_index=row["import_index"],
            listing_key=row["listing_key"],
            model=sighting["canonical_model"],
            price=price,
            score=score,
            score_per_dollar=score / price if price >= LEAST_PRICE else None,
            **{name: row[name] for name in ("condition", "seller", "region", "source_url")},
        )


def _rows(best: Best) -> list[dict[str, Any]]:
    return [] if best.rows is None else best.rows.to_dicts()
