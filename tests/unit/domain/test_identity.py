"""listing_key: golden vectors that never change, and how URLs are normalised."""

import pytest

from glyphd.domain.identity import (
    hash_identity,
    identity_text,
    listing_key_from_hex,
    listing_key_hex,
    normalise_url,
)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://shop.example/gpu/h100", "shop.example/gpu/h100"),
        ("http://WWW.Shop.Example:80/GPU/", "shop.example/GPU"),
        ("https://shop.example:443", "shop.example"),
        ("https://shop.example:0443/", "shop.example"),
        ("https://shop.example:/a", "shop.example/a"),
        ("http://shop.example:443/a", "shop.example:443/a"),
        ("https://user:secret@shop.example:8443/a#top", "shop.example:8443/a"),
        ("HTTPS://shop.example/a//", "shop.example/a"),
        ("https://shop.example/a?b=2&utm_source=x&a=1&&UTM_Medium=y&GCLID=z", "shop.example/a?a=1&b=2"),
        ("https://shop.example/a?utm_source=x", "shop.example/a"),
        ("https://shop.example/a/?id=1", "shop.example/a?id=1"),
        ("https://shop.example?id=1", "shop.example?id=1"),
        ("https://shop.example/a?utmost=1&gclids=2", "shop.example/a?gclids=2&utmost=1"),
        ("https://shop.example/a?q=a/b/", "shop.example/a?q=a/b/"),
        ("https://shop.example/%7Ea", "shop.example/%7Ea"),
        ("https://MÜLLER.example/ä", "müller.example/ä"),
        ("http://[2001:DB8::1]:8080/a", "[2001:db8::1]:8080/a"),
        ("https://www.www.example/a", "www.example/a"),
        ("https://shop.example:99999/a", "shop.example:99999/a"),
        ("not a url", "not a url"),
        ("ftp://shop.example/a", "ftp://shop.example/a"),
    ],
)
def test_normalised_urls(url, expected):
    """What does not identify an offer is dropped, everything else stays as it is."""
    assert normalise_url(url) == expected


@pytest.mark.parametrize(
    ("identity", "key"),
    [
        (("H100_PCIE_80GB", "https://www.shop.example/gpu/h100/?utm_source=a#x", "S", "US", "New"), "07b93e9d2a00dc02"),
        (("H100_PCIE_80GB", "http://shop.example/gpu/h100", None, None, None), "07b93e9d2a00dc02"),
        (("A100_40GB", "http://shop.example/gpu/h100", None, None, None), "677516568256b1d5"),
        (("H100_PCIE_80GB", None, "Halbry Systems", "US", "New"), "060a15be114243aa"),
        (("H100_PCIE_80GB", None, " HALBRY systems ", "us", "NEW"), "060a15be114243aa"),
        (("H100_PCIE_80GB", "", "Straße", None, ""), "418d787c765017e8"),
        (("H100_PCIE_80GB", None, None, None, None), "d31f251df9c092d3"),
    ],
)
def test_golden_vectors(identity, key):
    """Keys never change: a change orphans every history."""
    assert listing_key_hex(hash_identity(identity_text(*identity))) == key


@pytest.mark.parametrize("key", [0, 1, -1, 2**63 - 1, -(2**63)])
def test_keys_are_shown_as_sixteen_hex_digits(key):
    """A key survives being shown and read back."""
    assert listing_key_from_hex(listing_key_hex(key)) == key


@pytest.mark.parametrize("text", ["", "0", "g" * 16, "0" * 17, "A" * 16, "0" * 16 + "\n"])
def test_other_texts_are_no_key(text):
    """Only sixteen lower-case hex digits are a key."""
    with pytest.raises(ValueError, match=r"^"):
        listing_key_from_hex(text)
