"""listing_key: by what an offer is recognised in another import.

A 64-bit BLAKE2b over the normalised identity, the same in every process, machine and version (DESIGN §4). The golden
vectors are in ``tests/unit/domain/test_identity.py``; changing any of them orphans every history, so they never change.
"""

import re
from hashlib import blake2b
from urllib.parse import urlsplit

_TRACKING = re.compile(r"^(utm_.*|gclid|fbclid|msclkid|dclid|yclid|mc_cid|mc_eid|igshid|_ga|srsltid)$")
_DEFAULT_PORTS = {"http": 80, "https": 443}
_SEPARATOR = "\x1f"


def normalise_url(url: str) -> str:
    """Return the part of a http(s) URL that identifies an offer: host, port, path and query.

    Dropped: scheme, user, `www.`, default port, fragment, trailing slashes of the path, tracking parameters. Query
    parameters are sorted. The host is lower-cased, path and query are not. A URL that cannot be split is returned as is.
    """
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").removeprefix("www."), parts.port
    except ValueError:
        return url
    if port is not None and port != _DEFAULT_PORTS.get(parts.scheme):
        host = f"{host}:{port}"
    return host + parts.path.rstrip("/") + _query(parts.query)


def _query(query: str) -> str:
    if not query:
        return ""
    kept = sorted(part for part in query.split("&") if part and not _TRACKING.match(part.split("=", 1)[0].lower()))
    return "?" + "&".join(kept) if kept else ""


def identity_text(
    canonical_model: str, source_url: str | None, seller: str | None, region: str | None, condition: str | None
) -> str:
    """Return the text that is hashed: the model, and the URL, or without one seller, region and condition."""
    if source_url:
        return canonical_model + _SEPARATOR + normalise_url(source_url)
    who = (part.strip().casefold() if part else "" for part in (seller, region, condition))
    return canonical_model + _SEPARATOR + _SEPARATOR + _SEPARATOR.join(who)


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
