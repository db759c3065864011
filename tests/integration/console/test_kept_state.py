"""What is asked stays asked: through forms, links and signing in, whatever the names of things hold."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit

import httpx
import pytest

from glyphd.domain.report import ImportReport
from tests.integration.console.reading import read

NAMES = ("50%2Foff", "A/B?x#y", 'RTX "q" & 100% モデル')


@pytest.fixture
def crawls(import_file: Callable[..., ImportReport], make_csv: Callable[..., Path]) -> list[ImportReport]:
    """Two crawls of one source, with models of odd names."""
    return [
        import_file(
            make_csv(*({"canonical_model": name} for name in NAMES)),
            source="shop & co",
            observed_at=datetime(2026, 7, day, tzinfo=UTC),
        )
        for day in (1, 2)
    ]


@pytest.mark.usefixtures("crawls")
@pytest.mark.parametrize("name", NAMES)
def test_later_prices_are_of_the_same_model(console: httpx.Client, name: str) -> None:
    """The address of the next page names it as that of this page does."""
    page = read(console, f"/models/{quote(name, safe='')}?limit=1&bucket=import")

    assert f"Model {name}" in read(console, page.links["Later prices"]).text


@pytest.mark.usefixtures("crawls")
def test_a_model_is_of_the_market_that_led_to_it(console: httpx.Client) -> None:
    """With the same source and moment, and so are its listings."""
    market = read(console, "/models?source=shop+%26+co&as_of=2026-07-01T12:00:00Z")
    asked = {"source": ["shop & co"], "as_of": ["2026-07-01T12:00:00Z"]}
    for name in NAMES:
        assert asked == _query(market.links[name])
        listings = read(console, market.links[name]).links["All of them"]
        assert {"model": [name], **asked} == _query(listings)
        assert 1 == len(read(console, listings).rows) - 1


@pytest.mark.usefixtures("crawls")
@pytest.mark.parametrize(
    ("form", "address", "asked"),
    [
        ("/listings", "/listings", {"as_of": "2026-07-01T12:00:00Z", "max_score": "99", "limit": "7"}),
        ("/imports", "/imports", {"visible": "true", "limit": "7", "sort": "count"}),
        ("/models", "/models", {"limit": "7", "sort": "-change"}),
        ("/models/50%252Foff", "/models/50%252Foff", {"limit": "7"}),
    ],
)
def test_a_form_keeps_what_it_has_no_field_for(
    console: httpx.Client, form: str, address: str, asked: dict[str, str]
) -> None:
    """But for the place in the list, which is of what was asked before."""
    page = read(console, str(httpx.URL(address, params={**asked, "whole": "yes"})))

    assert asked.items() <= page.forms[form].items()
    assert {"cursor", "whole"}.isdisjoint(page.forms[form])


@pytest.mark.usefixtures("crawls")
def test_further_listings_follow_an_offset(console: httpx.Client) -> None:
    """And there is a way back to the first page."""
    page = read(console, "/listings?offset=1&limit=2&source=shop+%26+co")
    further = read(console, page.links["Further listings"])

    assert 2 == len(further.rows) - 1
    assert {"limit": ["2"], "source": ["shop & co"]} == _query(further.links["First page"])


def _query(address: str) -> dict[str, list[str]]:
    return parse_qs(urlsplit(address).query)
