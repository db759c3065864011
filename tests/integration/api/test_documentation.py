"""The page on which every call can be read and tried."""

import re

import httpx


def test_the_page_and_all_of_it_are_from_here(api: httpx.Client) -> None:
    """Scripts, styles and the document itself; nothing names another server."""
    page = api.get("/api/docs").text
    parts = re.findall(r"""(?:src|href)="([^"]+)"|url: '([^']+)'""", page)

    addresses = [one or other for one, other in parts]
    assert "/api/openapi.json" in addresses
    assert len(addresses) >= 4
    for address in addresses:
        assert address.startswith("/"), address
        assert 200 == api.get(address).status_code
