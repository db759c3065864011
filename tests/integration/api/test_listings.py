"""`GET /api/listings`: every filter, alone and together, against a plain oracle over what was submitted."""

import random
from collections.abc import Callable
from datetime import datetime
from typing import Any

import httpx
import pytest

MODELS = ("L4", "L40", "L40S", "A100_40GB_PCIE", "a100 40gb-pcie", "H100_PCIE_80GB")
SELLERS = ("Halbry", "Kiln & Sons", "100%_sure", None)
REGIONS = ("US", "UK/EU", None)
CONDITIONS = ("New", "Used", None)
SEEN = ("2026-11-01T00:00:00Z", "2026-11-10T12:30:00.250000Z", "2026-11-20T08:12:00Z", None)
NAMES = ("canonical_model", "vram_gb", "mig_support", "nvlink", "tdp_watts", "price", "score", "import_index")


def make_records(seed: int, count: int) -> list[dict[str, Any]]:
    """Make valid records of few different values, so that filters overlap."""
    chosen = random.Random(seed)
    return [
        {
            "canonical_model": chosen.choice(MODELS),
            "vram_gb": 80,
            "mig_support": 7,
            "nvlink": True,
            "tdp_watts": 350,
            "price": chosen.choice((100.0, 250.5, 999.99, 5000.0)),
            "score": chosen.choice((0.0, 12.5, 50.0, 100.0)),
            "seller": chosen.choice(SELLERS),
            "region": chosen.choice(REGIONS),
            "condition": chosen.choice(CONDITIONS),
            "seen_at": chosen.choice(SEEN),
            "notes": chosen.choice(("quiet", "Loud FAN", None)),
        }
        for _ in range(count)
    ]


class Market:
    """What was submitted: `rows` in the documented order, newest import first, then by import_index."""

    def __init__(self, api: httpx.Client) -> None:
        self.api = api
        self.rows: list[dict[str, Any]] = []
        self.ids: list[str] = []

    def submit(self, source: str, records: list[dict[str, Any]]) -> None:
        """Import a batch and remember it."""
        report = self.api.post("/api/import", json={"source": source, "listings": records}).json()
        assert report["count"] == len(records)
        self.ids.append(report["import_id"])
        named = [{**row, "source": source, "import_id": report["import_id"]} for row in records]
        self.rows = [{**row, "import_index": index} for index, row in enumerate(named, 1)] + self.rows

    def expected(self, **filters: Any) -> list[tuple[str, int]]:
        """Return what the filters should find."""
        return [(row["import_id"], row["import_index"]) for row in self.rows if matches(row, filters)]

    def found(self, **parameters: Any) -> list[tuple[str, int]]:
        """Return what the API finds."""
        answer = self.api.get("/api/listings", params=parameters)
        assert answer.status_code == 200, answer.text
        return places(answer)


def places(answer: httpx.Response) -> list[tuple[str, int]]:
    """Return where the listings of an answer come from."""
    return [(row["import_id"], row["import_index"]) for row in answer.json()]


def matches(row: dict[str, Any], filters: dict[str, Any]) -> bool:
    """Tell in plain Python whether a row is what the filters ask for."""

    def plain(model: str) -> str:
        return model.translate(str.maketrans("", "", " -_")).lower()

    def moment(text: str) -> datetime:
        return datetime.fromisoformat(text)

    checks: dict[str, Callable[[Any], bool]] = {
        "model": lambda value: plain(row["canonical_model"]) == plain(value),
        "min_price": lambda value: row["price"] >= value,
        "max_price": lambda value: row["price"] <= value,
        "min_score": lambda value: row["score"] >= value,
        "max_score": lambda value: row["score"] <= value,
        "after": lambda value: row["seen_at"] is not None and moment(row["seen_at"]) >= moment(value),
        "before": lambda value: row["seen_at"] is not None and moment(row["seen_at"]) < moment(value),
        "q": lambda value: (
            value.lower() in " ".join(str(row[n]) for n in ("canonical_model", "seller", "notes", "region")).lower()
        ),
    }
    return all(checks.get(name, lambda value, name=name: row[name] == value)(value) for name, value in filters.items())


@pytest.fixture(scope="module")
def market(shared_api: httpx.Client) -> Market:
    """Three imports of two sources."""
    market = Market(shared_api)
    market.submit("wamatek", make_records(1, 23))
    market.submit("halbry", make_records(2, 40))
    market.submit("wamatek", make_records(3, 17))
    return market


SINGLE = [
    *({"model": model} for model in ("l4", "L 4", "L-4_0", "l40s", "A100-40gb pcie", "L400", "L")),
    *({"min_price": price} for price in (0, 250.5, 250.51, 6000)),
    *({"max_price": price} for price in (0, 100, 999.98)),
    *({"min_score": score} for score in (0, 12.5, 100)),
    *({"max_score": score} for score in (0, 49.9)),
    *({"region": region} for region in ("US", "us", "UK/EU")),
    *({"seller": seller} for seller in ("Kiln & Sons", "100%_sure", "Halbr")),
    *({"condition": condition} for condition in ("New", "new", "Used")),
    *({"source": source} for source in ("wamatek", "halbry", "nobody")),
    *({"after": f"2026-{moment}"} for moment in ("11-10T12:30:00.25Z", "11-10T12:30:00.251Z", "12-01T00:00:00Z")),
    *({"before": f"2026-{moment}"} for moment in ("11-10T12:30:00.25Z", "11-10T14:00:00+01:00", "11-01T00:00:00Z")),
    *({"q": text} for text in ("loud fan", "KILN", "%", "_s", "l40", "zzz")),
]  # fmt: skip


@pytest.mark.parametrize("filters", SINGLE, ids=str)
def test_each_filter_finds_what_it_says(market: Market, filters: dict[str, Any]) -> None:
    """A filter finds exactly the rows that the oracle finds, in the documented order."""
    expected = market.expected(**filters)

    assert expected == market.found(limit=1000, **filters)


def test_filters_together_find_what_all_of_them_say(market: Market) -> None:
    """Random combinations of filters and of pages agree with the oracle."""
    chosen = random.Random(4)
    for _ in range(60):
        filters = {name: value for one in chosen.sample(SINGLE, 3) for name, value in one.items()}
        if filters.get("min_price", 0) > filters.get("max_price", 9e9) or filters.get("min_score", 0) > filters.get(
            "max_score", 100
        ):
            continue
        if filters.get("after", "") > filters.get("before", "3"):
            continue
        offset, limit = chosen.choice((0, 0, 1, 7)), chosen.choice((1, 5, 1000))

        expected = market.expected(**filters)[offset : offset + limit]

        assert expected == market.found(offset=offset, limit=limit, **filters), filters


@pytest.mark.parametrize("limit", [1, 7, 23, 80, 1000])
def test_the_cursor_walk_gives_every_row_once(market: Market, limit: int) -> None:
    """Following `Link` gives all rows once and in order, across imports."""
    walked, url = [], f"/api/listings?limit={limit}"
    while url:
        answer = market.api.get(url)
        walked += places(answer)
        url = answer.links.get("next", {}).get("url", "")

    assert market.expected() == walked


@pytest.mark.parametrize("limit", [1, 9, 40])
def test_offsets_give_every_row_once(market: Market, limit: int) -> None:
    """Pages by offset, put together, are all rows once and in order."""
    walked = [row for offset in range(0, 81, limit) for row in market.found(offset=offset, limit=limit)]

    assert market.expected() == walked


@pytest.mark.parametrize(
    "filters", [{"model": "l40"}, {"region": "US", "min_score": 12.5}, {"source": "wamatek"}], ids=str
)
def test_the_cursor_walk_keeps_its_filters(market: Market, filters: dict[str, Any]) -> None:
    """`Link` carries the query along."""
    walked: list[tuple[str, int]] = []
    answer = market.api.get("/api/listings", params={**filters, "limit": 3, "offset": 2})
    while True:
        walked += places(answer)
        if "next" not in answer.links:
            break
        answer = market.api.get(answer.links["next"]["url"])

    assert market.expected(**filters)[2:] == walked


def test_a_cursor_walk_is_not_moved_by_an_import_that_comes_meanwhile(make_api: Callable[..., httpx.Client]) -> None:
    """Pages by cursor go on where they were; a new import is before all of them."""
    market = Market(make_api())
    market.submit("a", make_records(1, 10))
    first = market.api.get("/api/listings?limit=4")
    expected = market.expected()
    market.submit("b", make_records(2, 5))

    rest = market.api.get(first.links["next"]["url"].replace("limit=4", "limit=100"))

    assert expected == places(first) + places(rest)


def test_a_listing_keeps_names_and_types(market: Market) -> None:
    """The members and their types are those that clients know, and the row is what was submitted."""
    submitted = market.rows[0]

    row = market.api.get("/api/listings?limit=1").json()[0]

    assert {name: submitted[name] for name in NAMES} == {name: row[name] for name in NAMES}
    assert [str, int, int, bool, int, float, float, int] == [type(row[name]) for name in NAMES]


def test_an_import_can_be_named(market: Market) -> None:
    """`import_id` narrows to one import; with the wrong source to nothing."""
    first = market.ids[0]

    assert market.expected(import_id=first) == market.found(import_id=first, limit=1000)
    assert [] == market.found(import_id=first, source="halbry")


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("limit=0", "limit"),
        ("limit=1001", "limit"),
        ("limit=x", "limit"),
        ("offset=-1", "offset"),
        ("min_price=-1", "min_price"),
        ("min_price=nan", "min_price"),
        ("max_price=inf", "max_price"),
        ("min_score=101", "min_score"),
        ("min_price=2&max_price=1", "min_price"),
        ("min_score=2&max_score=1", "min_score"),
        ("after=2026-02-01&before=2026-01-01", "after"),
        ("after=yesterday", "after"),
        ("before=", "before"),
        ("model=", "model"),
        ("seller=%00", "seller"),
        ("import_id=12", "import_id"),
        ("colour=red", "colour"),
        ("import_id=01997c1e-4a00-7d5e-9c39-0f6a4cf0a1b2&current=true", "import_id"),
        ("cursor=x", "cursor"),
        ("cursor=WzEsMl0&offset=1", "offset"),
    ],
)
def test_a_parameter_that_is_not_accepted_is_named(market: Market, query: str, parameter: str) -> None:
    """What is not accepted is a 422 that names it."""
    answer = market.api.get(f"/api/listings?{query}")
    problem = answer.json()
    named = problem.get("parameter") or problem["faults"][0]["parameter"]

    assert (422, "invalid_parameter", parameter) == (answer.status_code, problem["code"], named)


TAMPERED = "|x|W10|WzFd|WzEsMiwzXQ|WyJhIiwiYiJd|WzEsbnVsbF0|WzEuNSwyXQ|WzFlOTksMV0|bm8|%FF|e30|W1tdLFtdXQ|WzEsMl0x"


@pytest.mark.parametrize("cursor", TAMPERED.split("|"))
@pytest.mark.parametrize("path", ["/api/listings", "/api/imports", "/api/models"])
def test_a_tampered_cursor_is_refused(market: Market, path: str, cursor: str) -> None:
    """A cursor that the server did not give out is a 422, whatever is in it."""
    if (path, cursor) in {("/api/imports", "WzFd")}:
        return  # a well-formed position of that collection

    assert 422 == market.api.get(f"{path}?cursor={cursor}").status_code


def test_an_unknown_import_is_not_found(market: Market) -> None:
    """An id that could be one, and is none, is a 404."""
    answer = market.api.get("/api/listings?import_id=01997c1e-4a00-7d5e-9c39-0f6a4cf0a1b2")

    assert (404, "import_not_found") == (answer.status_code, answer.json()["code"])


@pytest.mark.parametrize("form", ["csv", "ndjson", "parquet"])
def test_a_file_of_listings(shared_api: httpx.Client, form: str) -> None:
    """It is an attachment of its media type, without paging."""
    answer = shared_api.get("/api/listings", params={"format": form})
    assert 200 == answer.status_code
    assert answer.headers["content-disposition"].endswith(f"listings.{form}")
    for paging in ("limit", "offset", "cursor"):
        refused = shared_api.get("/api/listings", params={"format": form, paging: "1"})
        assert 422 == refused.status_code
        assert paging == refused.json()["parameter"]
