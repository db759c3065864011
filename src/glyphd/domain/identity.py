"""listing_key: by what an offer is recognised in another import.

A 64-bit BLAKE2b over the normalised identity, the same in every process, machine and version (DESIGN §4). The golden
vectors are in ``tests/unit/domain/test_identity.py``; changing any of them orphans every history, so they never change.
"""

import re
from hashlib import blake2b

TRACKING_PARAMETERS = r"utm_[^=]*|gclid|fbclid|msclkid|dclid|yclid|mc_cid|mc_eid|igshid|_ga|srsltid"
"""Query parameters, in any case, that say where a visitor came from and not what is offered."""

# Not urllib.parse: what it accepts and how it cuts has changed between Python versions, and a key must not.
_URL = re.compile(r"(https?)://(?:[^/?#]*@)?(\[[^\]/?#]*\]|[^:/?#]*)(?::([0-9]*))?([^?#]*)(?:\?([^#]*))?", re.I | re.S)
_TRACKING = re.compile(TRACKING_PARAMETERS, re.I)
_DEFAULT_PORTS = {"http": "80", "https": "443"}
_SEPARATOR = "\x1f"


def normalise_url(url: str) -> str:
    """Return the part of a http(s) URL that identifies an offer: host, port, path and query.

    Dropped: scheme, user, `www.`, default port, fragment, trailing slashes of the path, tracking parameters. Query
    parameters are sorted. The host is lower-cased, path and query are not; nothing is decoded, a host in its own
    script and the same host in Punycode differ. Text that is no such URL is returned as is.
    """
    match = _URL.match(url)
    if match is None:
        return url
    scheme, host, port, path, query = match.groups()
    host = host.lower().removeprefix("www.")
    port = (port or "").lstrip("0")
    if port and port != _DEFAULT_PORTS[scheme.lower()]:
        host = f"{host}:{port}"
    return host + path.rstrip("/") + _query(query)


def _query(query: str | None) -> str:
    if not query:
        return ""
    kept = sorted(part for part in query.split("&") if part and not _TRACKING.fullmatch(part.split("=", 1)[0]))
    return "?" + "&".join(kept) if kept else ""


def identity_text(
    canonical_model: str, source_url: str | None, seller: str | None, region: str | None, condition: str | None
) -> str:
    """Return the text that is hashed: the model, and the URL, or without one seller, region and condition."""
    if source_url:
        return canonical_model + _SEPARATOR + normalise_url(source_url)
    return canonical_model + _SEPARATOR + _SEPARATOR + offer_text(seller, region, condition)


def offer_text(seller: str | None, region: str | None, condition: str | None) -> str:
    """Return what stands for an offer without a URL: case and surrounding space do not count."""
    return _SEPARATOR.join(part.strip().casefold() if part else "" for part in (seller, region, condition))


def hash_identity(text: str) -> int:
    """Return the listing_key of an identity text: a signed 64-bit integer, as both engines store it."""
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big", signed=True)


def listing_key_hex(listing_key: int) -> str:
    """Return a listing_key as it is shown: 16 hex digits, since JavaScript cannot hold 64-bit integers."""
    return f"{listing_key & 0xFFFF_FFFF_FFFF_FFFF:016x}"


def listing_key_from_hex(text: str) -> int:
    """Return the stored form of a listing_key shown as 16 hex digits. Raises ValueError."""
    if not re.fullmatch(r"[0-9a-f]{16}", text):
        raise ValueError(text)
    unsigned = int(text, 16)
    return unsigned - (1 << 64) if unsigned >> 63 else unsigned
