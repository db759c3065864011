"""Readers hammer every endpoint while imports are published, rolled back and restored: none sees a mix (G3, G5, G6)."""

import random
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any

import httpx
import pytest

from glyphd.services.context import Context
from glyphd.settings import Settings
from tests.reliability.crawls import SOURCE, Market, crawl, observed_at
from tests.serving import serving, working

READS = [getattr(Market, name) for name in sorted(vars(Market)) if name.startswith("read_")]
CRAWLS = 4


@pytest.fixture
def client(make_settings: Callable[..., Settings], make_context: Callable[..., Context]) -> Iterator[httpx.Client]:
    """A client of a server with a worker."""
    context = make_context()
    with serving(make_settings(), context) as served, working(context):
        yield served


def submit(client: httpx.Client, number: int, **options: str) -> str:
    """Import a crawl, and return its import_id."""
    params = {"source": SOURCE, "observed_at": observed_at(number), **options}
    answer = client.post("/api/import", params=params, content=crawl(number), headers={"Content-Type": "text/csv"})
    assert 201 == answer.status_code, answer.text
    return str(answer.json()["import_id"])


def change(client: httpx.Client, import_id: str, verb: str) -> int:
    """Ask for a change of state, and return the status of the answer."""
    return client.post(f"/api/imports/{import_id}/{verb}", json={"reason": "a test"}).status_code


def read_on(client: httpx.Client, over: threading.Event) -> int:
    """Read everything again and again until it is over; return how often."""
    market, times = Market(httpx.Client(base_url=client.base_url, timeout=60)), 0
    with market.client:
        while not over.is_set():
            for read in READS:
                read(market)
            times += 1
    return times


def digests(client: httpx.Client, import_ids: list[str]) -> list[str]:
    """Return the row digests of imports."""
    return [client.get(f"/api/imports/{each}/digest").json()["row_digest"] for each in import_ids]


def test_no_reader_sees_a_mix(client: httpx.Client, chance: random.Random, rounds: Callable[[int], int]) -> None:
    """Batches come, are replayed, go and come back, while every endpoint is read; what was stored stays the same."""
    over = threading.Event()
    with ThreadPoolExecutor() as pool:
        readers = [pool.submit(read_on, client, over) for _ in range(2)]
        try:
            published = [submit(client, number) for number in range(1, CRAWLS + 1)]
            before = digests(client, published)
            for _ in range(rounds(25)):
                chosen = chance.choice(published)
                assert {200} == {change(client, chosen, "rollback"), change(client, chosen, "rollback")}
                assert {200} == {change(client, chosen, "restore"), change(client, chosen, "restore")}
                if chance.random() < 0.3:
                    assert 201 == change(client, chosen, "replay")
        finally:
            over.set()
        assert all(reader.result() for reader in readers)
    assert before == digests(client, published)


def test_two_who_change_one_import_take_turns(client: httpx.Client) -> None:
    """Whoever comes second finds it done: every change that took place is in the audit trail, once and in order."""
    import_id = submit(client, 1)
    verbs = ["rollback", "restore"] * 10
    with ThreadPoolExecutor(4) as pool:
        statuses = list(pool.map(lambda verb: change(client, import_id, verb), verbs))
    events: list[dict[str, Any]] = client.get(f"/api/imports/{import_id}/events").json()["items"]
    changes = [event["status"] for event in events if event["status"] in {"published", "rolled_back"}]

    assert {200} == set(statuses)
    assert all(one != other for one, other in pairwise(changes))
    assert changes[-1] == client.get(f"/api/imports/{import_id}").json()["status"]
