"""listing_key for whole frames: :mod:`glyphd.domain.identity` decides, this only spares Python the easy rows."""

from collections.abc import Callable
from hashlib import blake2b

import numpy as np
import polars as pl

from glyphd.domain.identity import TRACKING_PARAMETERS, normalise_url

_SEPARATOR = "\x1f"
OFFER_FIELDS = ("seller", "region", "condition")

# Easy to normalise: lower-case ASCII host, no user, port or fragment, no slash at the end of the path, no empty
# parameter, and parameters of ASCII: on which other letters are the same in any case, Python and polars do not agree.
_EASY = r"^https?://[a-z0-9.\-]+(?:/[^?#]*[^?#/])?(?:\?[[:ascii:]&&[^&#]]+(?:&[[:ascii:]&&[^&#]]+)*)?$"
_TRACKED = rf"(?i)&(?:{TRACKING_PARAMETERS})(?:=[^&]*)?&".replace("[^=]", "[^=&]")
_PREFIX = r"^https?://(?:www\.)?"


def with_listing_keys(rows: pl.DataFrame) -> pl.DataFrame:
    """Add `listing_key` (Int64) to accepted rows."""
    texts = rows.select(pl.concat_str("canonical_model", _offer(rows), separator=_SEPARATOR)).to_series()
    digests = b"".join([blake2b(text, digest_size=8).digest() for text in texts.cast(pl.Binary).to_list()])
    return rows.with_columns(pl.Series("listing_key", np.frombuffer(digests, ">i8").astype(np.int64)))


def _offer(rows: pl.DataFrame) -> pl.Series:
    """Return what follows the model in the identity text: the normalised URL, else seller, region and condition."""
    url = pl.col("source_url")
    easy = url.str.contains(_EASY)
    several = url.str.contains("?", literal=True)
    cut = url.str.replace(_PREFIX, "")
    seller = pl.concat_str(pl.lit(""), *(pl.col(name).fill_null("") for name in OFFER_FIELDS), separator=_SEPARATOR)
    offers = rows.select(
        easy=pl.when(easy & ~several).then(cut),
        sorted=_sorted_query(pl.when(easy & several).then(cut)),
        other=pl.when(~easy).then(url),
        seller=pl.when(url.is_null()).then(seller),
    )
    others = _each_distinct(offers["other"], normalise_url)
    return (
        offers["easy"]
        .fill_null(offers["sorted"])
        .fill_null(others)
        .fill_null(_each_distinct(offers["seller"], str.casefold))
    )


def _sorted_query(url: pl.Expr) -> pl.Expr:
    """Return URLs with their parameters sorted, without those that track.

    Each parameter gets an ``&`` of its own on either side, so that one can be cut out and leave the next one whole.
    """
    parts = url.str.splitn("?", 2).struct
    fenced = "&" + parts.field("field_1").str.replace_all("&", "&&", literal=True) + "&"
    kept = fenced.str.replace_all(_TRACKED, "").str.strip_chars("&")
    query = kept.str.split("&&").list.sort().list.join("&")
    return parts.field("field_0") + pl.when(kept == "").then(pl.lit("")).otherwise("?" + query)


def _each_distinct(texts: pl.Series, function: Callable[[str], str]) -> pl.Series:
    distinct = texts.drop_nulls().unique()
    if distinct.is_empty():
        return texts
    results = pl.Series([function(text) for text in distinct.to_list()], dtype=pl.String)
    return texts.replace_strict(distinct, results, default=None, return_dtype=pl.String)
