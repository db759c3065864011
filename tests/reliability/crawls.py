"""Crawls of one source that give themselves away: every figure of a crawl is its number, so that a mix cannot hide."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import httpx

ROWS = 40
MODELS = ("A100", "H100")
SOURCE = "shop"


def price_of(number: int) -> float:
    """Return the price (USD) of every offer in a crawl."""
    return 1000.0 + number


def observed_at(number: int) -> str:
    """Return when a crawl was made: one a day."""
    return f"2026-07-{number:02}T06:00:00Z"


def crawl(number: int) -> bytes:
    """Return a crawl as CSV: the same offers every time, half of them of each model."""
    header = "canonical_model,vram_gb,tdp_watts,mig_support,nvlink,price,score,source_url"
    rows = (
        f"{MODELS[row % 2]},80,350,7,true,{price_of(number)},{number},https://shop.test/{row}" for row in range(ROWS)
    )
    return "\n".join([header, *rows]).encode()


@dataclass(slots=True)
class Market:
    """What one client reads of the crawls, and what has to be true of it in whatever state they are."""

    client: httpx.Client

    def get(self, path: str, **params: Any) -> Any:
        """Return an answer's JSON."""
        return self.client.get(path, params=params).raise_for_status().json()

    def read_listings(self) -> None:
        """Every crawl that is there is there with all of its rows, in the order of the batch."""
        found: dict[float, list[int]] = {}
        for row in self.get("/api/listings", limit=1000):
            found.setdefault(row["price"], []).append(row["import_index"])
        for indexes in found.values():
            assert list(range(1, ROWS + 1)) == indexes

    def read_current(self) -> None:
        """The current view is one crawl."""
        rows = self.get("/api/listings", current="true", limit=1000)
        assert (len(rows), len({row["price"] for row in rows})) in {(ROWS, 1), (0, 0)}

    def read_models(self) -> None:
        """Both models are of the same crawl."""
        found = [
            (model["listing_count"], model["min_price"], model["max_price"], model["last_seen_at"])
            for model in self.get("/api/models")
        ]
        assert found in ([], found[:1] * len(MODELS))
        assert all((ROWS // 2, low) == (count, high) for count, low, high, _ in found)

    def read_history(self) -> None:
        """A day has one crawl, or none."""
        for bucket in self.get("/api/models/A100/history", bucket="day")["items"]:
            assert (bucket["count"], bucket["min"]) in {(ROWS // 2, bucket["max"]), (0, None)}

    def read_offer(self) -> None:
        """An offer is in a crawl once, and each move is from the crawl before it in the answer."""
        key = self.get("/api/listings", limit=1)
        if key:
            items = self.get(f"/api/listings/{key[0]['listing_key']}/history")["items"]
            prices = [item["price"] for item in items]
            assert prices == sorted(set(prices), reverse=True)
            assert [new - old for new, old in pairwise(prices)] == [item["price_change"] for item in items[:-1]]

    def read_deltas(self) -> None:
        """All offers of a crawl have moved from the same crawl."""
        moves: dict[str, list[tuple[float, float]]] = {}
        for delta in self.get("/api/deltas", limit=1000)["items"]:
            moves.setdefault(delta["import_id"], []).append((delta["earlier"]["price"], delta["price"]))
        complete = list(moves.values())[:-1] if sum(map(len, moves.values())) == 1000 else moves.values()
        assert all(found == found[:1] * ROWS for found in complete)

    def read_report(self) -> None:
        """Its figures are those of one crawl."""
        summary = self.get("/api/report")["summary_stats"]
        assert summary["listing_count"] in {0, ROWS}
        if summary["listing_count"]:
            assert summary["price"]["min"] == summary["price"]["max"]

    def read_export(self) -> None:
        """A file of the current view holds one crawl."""
        lines = self.client.get("/api/listings", params={"format": "csv", "current": "true"}).raise_for_status().text
        header, *rows = lines.splitlines()
        column = header.split(",").index("price")
        assert (len(rows), len({row.split(",")[column] for row in rows})) in {(ROWS, 1), (0, 0)}

    def read_sources(self) -> None:
        """What stands for the source has all of its rows."""
        for source in self.get("/api/sources")["items"]:
            assert source["count"] in {ROWS, None}
