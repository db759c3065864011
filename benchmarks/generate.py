"""Generate a realistic scored CSV, the same bytes for the same arguments (with the same numpy and polars).

    uv run python -m benchmarks.generate --rows 1000000 --columns 14 --invalid-rate 0.02

Prices are log-normal around each model's own (60 models in `models.csv`, some far more common than others), scores fall
as a price rises above it, one price in a hundred is written `$12,490.00`, sellers follow Zipf's law and some have a
comma in their name, more than half of the quantities say `Available`, every URL is distinct and three in ten have a
query. Two seeds are two crawls: half of the offers are the same ones, at other prices. Files are kept in
`benchmarks/.cache`.
"""

import argparse
import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from glyphd.domain.listing import FIELDS

HERE = Path(__file__).parent
CACHE = HERE / ".cache"
CHUNK = 100_000
SELLERS = 400

REQUIRED = tuple(field.name for field in FIELDS if field.required)
COLUMNS = {
    "14": (*REQUIRED, "condition", "quantity", "seller", "region", "source_url", "source_type", "seen_at"),
    "all": tuple(field.name for field in FIELDS),
}
"""The two widths: the budget's file (DESIGN §10), and every column of the row contract."""

CONDITIONS = ("New", "Used", "Refurbished", "new", "Open")
REGIONS = ("US", "USA", "US domestic", "US-CT", "DE", "UK/EU", "CA", "JP", "Asia (Shenzhen, CN)", "HK", "")
SOURCE_TYPES = ("Retail_Specialist", "Retail_Major", "Marketplace", "Broker", "Shopify_Wamatek")
QUANTITY_TEXTS = ("Available", "In Stock", "Unavailable", "1+", "few", "")
NOTES = (
    "passive cooling",
    "no bracket, card only",
    'box says "engineering sample"',
    "90 days warranty",
    "with NVLink bridge",
)
WARNINGS = ("price below market", "form factor differs from the vendor's sheet", "memory guessed from the title")
SELLER_STEMS = (
    "Halbry",
    "Northvale",
    "Serverhaus",
    "Kestrel",
    "Tessera",
    "Blue Mesa",
    "Orchard",
    "Varga",
    "Pinyon",
    "Ostra",
)
SELLER_ENDS = (" Systems", " Systems, Inc", " GmbH", " Computing", " Parts, LLC", " IT", " Electronics", " Surplus")

FAULTS: tuple[tuple[str, str], ...] = (
    ("vram_gb", "0.0"),
    ("canonical_model", "UNKNOWN"),
    ("price", "Contact for Quote"),
    ("price", ""),
    ("score", "101.5"),
    ("nvlink", "maybe"),
    ("tdp_watts", "n/a"),
    ("mig_support", "3.5"),
)
"""What is wrong with an invalid row: one of these, evenly."""


@dataclass(frozen=True, slots=True)
class Dataset:
    """What to generate. ``seed`` tells one crawl from the next."""

    rows: int = 1_000_000
    columns: str = "14"
    invalid_rate: float = 0.0
    seed: int = 1

    @property
    def path(self) -> Path:
        """Where it is cached; the name changes when the generator does."""
        recipe = hashlib.sha256(Path(__file__).read_bytes() + (HERE / "models.csv").read_bytes()).hexdigest()[:8]
        return CACHE / f"{self.rows}x{self.columns}-invalid{self.invalid_rate:g}-seed{self.seed}-{recipe}.csv"


def dataset(wanted: Dataset) -> Path:
    """Return the file, generating it first when it is not cached."""
    if not wanted.path.exists():
        CACHE.mkdir(exist_ok=True)
        unfinished = wanted.path.with_suffix(".unfinished")
        with unfinished.open("wb") as file:
            for start in range(0, wanted.rows, CHUNK):
                frame = _chunk(wanted, start, min(CHUNK, wanted.rows - start))
                frame.write_csv(file, include_header=start == 0)
        unfinished.rename(wanted.path)
    return wanted.path


def _chunk(wanted: Dataset, start: int, rows: int) -> pl.DataFrame:
    """Return the rows from ``start`` on, every cell as the text that is written."""
    rng, same_in_every_crawl = np.random.default_rng([wanted.seed, start]), np.random.default_rng(start)
    models = pl.read_csv(HERE / "models.csv", schema_overrides={"nvlink": pl.String})
    weights = models["weight"].to_numpy()
    frame = models[same_in_every_crawl.choice(len(models), rows, p=weights / weights.sum())]
    factor = rng.lognormal(0, 0.22, rows)
    frame = frame.with_columns(_prices(rng, frame["usd"].to_numpy() * factor), _scores(rng, frame["score"], factor))
    frame = frame.with_columns(
        *_offers(rng, rows), *_urls(same_in_every_crawl, wanted.seed, start, rows), *_remarks(rng, rows)
    )
    frame = frame.select(pl.col(name).cast(pl.String) for name in COLUMNS[wanted.columns])
    return _spoil(rng, frame, wanted.invalid_rate)


def _prices(rng: np.random.Generator, usd: np.ndarray) -> pl.Series:
    prices = pl.Series("price", np.round(usd, 2))
    spelled = "$" + (prices // 1000).cast(pl.Int64).cast(pl.String) + ","
    spelled += (prices % 1000).cast(pl.Int64).cast(pl.String).str.zfill(3) + ".00"
    rare = pl.Series(rng.random(len(usd)) < 0.01) & (prices >= 1000)
    return prices.cast(pl.String).zip_with(~rare, spelled)


def _scores(rng: np.random.Generator, base: pl.Series, factor: np.ndarray) -> pl.Series:
    scores = base.to_numpy() - 18 * np.log(factor) + rng.normal(0, 2, len(factor))
    return pl.Series("score", np.clip(scores, 0, 100))


def _pick(rng: np.random.Generator, name: str, values: tuple[str, ...], rows: int, skew: float = 1.0) -> pl.Series:
    """Return cells taken from ``values``, the earlier ones more often the larger ``skew``."""
    weights = 1 / np.arange(1, len(values) + 1) ** skew
    return pl.Series(name, values).gather(rng.choice(len(values), rows, p=weights / weights.sum()))


def _sellers() -> tuple[str, ...]:
    names = [stem + end for stem in SELLER_STEMS for end in SELLER_ENDS]
    return tuple(f"{names[at % len(names)]} {at // len(names) + 1}".removesuffix(" 1") for at in range(SELLERS))


def _offers(rng: np.random.Generator, rows: int) -> list[pl.Series]:
    numbers = pl.Series("quantity", rng.geometric(0.15, rows)).cast(pl.String)
    texts = _pick(rng, "quantity", QUANTITY_TEXTS, rows, 1.6)
    seconds = pl.Series("seen_at", 1_795_000_000 + rng.integers(0, 43_200, rows)).cast(pl.Int64)
    return [
        _pick(rng, "condition", CONDITIONS, rows, 1.3),
        numbers.zip_with(pl.Series(rng.random(rows) < 0.15), texts),
        pl.Series("min_order_qty", rng.integers(1, 4, rows)),
        _pick(rng, "seller", _sellers(), rows),
        _pick(rng, "region", REGIONS, rows),
        _pick(rng, "source_type", SOURCE_TYPES, rows),
        pl.from_epoch(seconds).dt.strftime("%Y-%m-%dT%H:%M:%SZ"),
    ]


def _urls(rng: np.random.Generator, seed: int, start: int, rows: int) -> list[pl.Expr]:
    """Return distinct URLs, half of them the same for every seed."""
    number = np.arange(start, start + rows)
    number = np.where(rng.random(rows) < 0.5, number, number + seed * 1_000_000_000)
    slug = pl.col("canonical_model").str.to_lowercase().str.replace_all("_", "-")
    plain = pl.lit("https://www.shop") + pl.Series(number % 97).cast(pl.String) + ".example/products/" + slug
    query = pl.Series(rng.random(rows) < 0.3)
    last = pl.Series(number).cast(pl.String)
    with_query = plain + "?sku=" + last + "&utm_source=crawl"
    return [pl.when(query).then(with_query).otherwise(plain + "-" + last).alias("source_url")]


def _remarks(rng: np.random.Generator, rows: int) -> list[pl.Series]:
    return [_pick(rng, "notes", ("", *NOTES), rows, 1.5), _pick(rng, "warnings", ("", *WARNINGS), rows, 3.0)]


def _spoil(rng: np.random.Generator, frame: pl.DataFrame, invalid_rate: float) -> pl.DataFrame:
    """Give the share ``invalid_rate`` of the rows one fault each."""
    if not invalid_rate:
        return frame
    fault = np.where(rng.random(len(frame)) < invalid_rate, rng.integers(0, len(FAULTS), len(frame)), -1)
    for number, (name, text) in enumerate(FAULTS):
        cells = pl.when(pl.Series(fault == number)).then(pl.lit(text)).otherwise(pl.col(name))
        frame = frame.with_columns(cells.alias(name))
    return frame


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--columns", choices=tuple(COLUMNS), default="14")
    parser.add_argument("--invalid-rate", type=float, default=0.0)
    parser.add_argument("--seed", type=int, default=1)
    print(dataset(Dataset(**vars(parser.parse_args()))))
