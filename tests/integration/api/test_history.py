"""Prices through time over HTTP and through the client: shapes, pages, and what is refused."""

from urllib.parse import quote

import httpx
import pytest

from glyphd.api.paging import encode_cursor
from glyphd.client import Client

HEADER = "canonical_model,vram_gb,tdp_watts,mig_support,nvlink,price,score,seller"
MODEL = "A100/40 GB"
PRICES = {3: 990, 1: 1000, 2: 1100}
"""Three batches by day, the last one comes first."""


@pytest.fixture
def imported(api: httpx.Client) -> httpx.Client:
    """An API that has been given the batches."""
    for number, price in PRICES.items():
        batch = f"{HEADER}\n{MODEL},40,250,7,true,{price},{50 + number},halbry\n"
        params = {"observed_at": f"2026-07-0{number}", "source": "shop"}
        answer = api.post("/api/import", params=params, content=batch, headers={"content-type": "text/csv"})
        assert 201 == answer.status_code, answer.text
    return api


def test_a_models_history(imported: httpx.Client) -> None:
    """A bare name, with a slash in it and spelt in another way, is enough; pages follow each other."""
    path = f"/api/models/{quote('a100/40-gb', safe='')}/history"
    whole = imported.get(path).json()

    assert ("a100/40-gb", [MODEL], "day", None) == (whole["model"], whole["names"], whole["bucket"], whole["next"])
    same = dict.fromkeys(("min", "p25", "median", "p75", "max"), 1000.0)
    first = {"start": "2026-07-01T00:00:00Z", "import_id": None, "source": None, "count": 1, **same}
    assert first == whole["items"][0]
    page = imported.get(path, params={"limit": 2})
    assert whole["items"][:2] == page.json()["items"]
    following = page.headers["link"]
    rest = imported.get(following[1 : following.index(">")])
    assert (whole["items"][2:], None) == (rest.json()["items"], rest.json()["next"])
    assert "link" not in rest.headers


def test_what_moved_and_the_sightings_of_its_offer(imported: httpx.Client) -> None:
    """The same shape in both: a sighting, the one before it, and what moved since."""
    moves = imported.get("/api/deltas").json()["items"]
    key = moves[0]["listing_key"]
    seen = imported.get(f"/api/listings/{key}/history").json()["items"]

    assert [(990, -10.0, 1), (1100, 10.0, 1)] == [
        (each["price"], each["price_change_pct"], each["score_change"]) for each in moves
    ]
    assert moves == seen[:2]
    assert dict.fromkeys(("price_change", "price_change_pct", "score_change", "earlier")) == {
        name: seen[2][name] for name in ("price_change", "price_change_pct", "score_change", "earlier")
    }
    assert {"import_id", "import_index", "observed_at", "price", "score"} == set(seen[0]["earlier"])


def test_what_nobody_has_seen(imported: httpx.Client) -> None:
    """It is empty, and no failure."""
    assert [] == imported.get("/api/models/none/history").json()["items"]
    assert {"items": [], "next": None} == imported.get("/api/listings/0123456789abcdef/history").json()
    assert {"items": [], "next": None} == imported.get("/api/deltas", params={"model": "none"}).json()


@pytest.mark.parametrize(
    "path",
    [
        "/api/models/a/history?bucket=year",
        "/api/models/a/history?since=2026-07-02&until=2026-07-01",
        "/api/models/a/history?as_of=soon",
        "/api/models/a/history?limit=0",
        "/api/models/a/history?days=7",
        "/api/models/a/history?cursor=AAAA",
        f"/api/models/a/history?cursor={encode_cursor(1)}",
        "/api/listings/0123456789ABCDEF/history",
        "/api/listings/17/history",
        "/api/deltas?since=2026-07-02&until=2026-07-01",
        "/api/deltas?min_price_change_pct=-1",
        "/api/deltas?min_price_change_pct=nan",
        f"/api/deltas?cursor={encode_cursor(1, 1, 'a', 'b', 2**63, 0)}",
        f"/api/deltas?cursor={encode_cursor(1, 1, 'a', chr(0), 1, 0)}",
    ],
)
def test_what_is_refused(shared_api: httpx.Client, path: str) -> None:
    """Each with the name of what is wrong."""
    answer = shared_api.get(path)

    assert (422, "invalid_parameter") == (answer.status_code, answer.json()["code"])


def test_through_the_client(imported: httpx.Client) -> None:
    """Typed, page after page."""
    with Client(str(imported.base_url)) as client:
        prices = [(each.start.day, each.median) for each in client.history(MODEL, "import", source="shop")]
        moves = list(client.deltas(min_price_change_pct=10))
        seen = list(client.listing_history(moves[0].listing_key))
        capped = list(client.history(MODEL, since="2026-07-02", limit=1))

    assert sorted(PRICES.items()) == prices
    assert [990, 1100] == [each.price for each in moves]
    assert [990, 1100, 1000] == [each.price for each in seen]
    assert [1100] == [each.median for each in capped]
