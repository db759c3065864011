"""Baseline (b): the importer one would write first: `csv`, a Pydantic model a row, `executemany`.

    uv run python -m benchmarks.baseline_plain --rows 1000000

Cost model: per row one dict, one model, one tuple, then the same six B-trees as baseline (a). It checks what glyphd
checks of the contract's ranges, and keeps rejected rows with their messages in memory, as such importers do; no
artifact, no provenance beyond the id, no sightings or statistics.
Measured: wall time from opening the file to the commit of the only transaction, in this process.
No-op control: reading and hashing the file.
"""

import argparse
import csv
import sqlite3
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import closing
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field, ValidationError

from benchmarks.generate import CACHE, Dataset, dataset
from benchmarks.legacy import PRAGMAS, table_sql
from benchmarks.measure import read_through, seconds

CHUNK = 10_000
IMPORT_ID = "01990000-0000-7000-8000-000000000001"


def _price(text: str) -> str:
    return text.lstrip("$").replace(",", "")


def _known(text: str) -> str:
    if text == "UNKNOWN":
        raise ValueError("the model is not known")
    return text


def _or_none(text: str) -> str | None:
    return text or None


def _count(text: str) -> str | None:
    return text if text.isdecimal() else None


Text = Annotated[Annotated[str, Field(max_length=256)] | None, BeforeValidator(_or_none)]
Whole = Annotated[Annotated[int, Field(ge=0)] | None, BeforeValidator(_or_none)]
Url = Annotated[Annotated[str, Field(pattern="^https?://", max_length=2048)] | None, BeforeValidator(_or_none)]
Count = Annotated[int | None, BeforeValidator(_count)]


class Listing(BaseModel):
    """A row of the contract, as one would declare it with Pydantic alone."""

    canonical_model: Annotated[str, AfterValidator(_known), Field(min_length=1, max_length=128)]
    vram_gb: int = Field(ge=1, le=1024)
    tdp_watts: int = Field(ge=1, le=5000)
    mig_support: int = Field(ge=0, le=7)
    nvlink: bool
    price: Annotated[float, BeforeValidator(_price), Field(gt=0, le=10_000_000)]
    score: float = Field(ge=0, le=100)
    generation: Text = None
    cuda_cores: Whole = None
    slot_width: Whole = None
    pcie_generation: Whole = None
    form_factor: Text = None
    notes: Text = None
    warnings: Text = None
    condition: Text = None
    quantity: Count = None
    min_order_qty: Count = None
    seller: Text = None
    region: Text = None
    source_url: Url = None
    source_type: Text = None
    seen_at: datetime | None = None


def _valid(lines: Iterable[dict[str, str]], rejected: list[tuple[int, str]]) -> Iterator[tuple[Any, ...]]:
    for number, line in enumerate(lines, 1):
        try:
            row = Listing.model_validate(line).model_dump()
        except ValidationError as exc:
            rejected.append((number, str(exc)))
            continue
        if row["seen_at"] is not None:
            row["seen_at"] = row["seen_at"].isoformat()
        yield (*row.values(), IMPORT_ID)


def plain_import(file: Path, folder: Path) -> int:
    """Import a CSV file into a new legacy database in ``folder`` and return how many rows were stored."""
    rejected: list[tuple[int, str]] = []
    with closing(sqlite3.connect(folder / "plain.sqlite")) as connection, file.open(newline="") as lines:
        names = [*Listing.model_fields, "import_id"]
        connection.executescript(PRAGMAS + table_sql(names))
        insert = f"INSERT INTO scored_listings ({', '.join(names)}) VALUES ({', '.join('?' * len(names))})"
        valid = _valid(csv.DictReader(lines), rejected)
        while rows := list(islice(valid, CHUNK)):
            connection.executemany(insert, rows)
        connection.commit()
        return int(connection.execute("SELECT count(*) FROM scored_listings").fetchone()[0])


def timed_plain_import(file: Path) -> float:
    """Return the seconds that the plain importer takes for a file."""
    with tempfile.TemporaryDirectory(dir=CACHE) as folder:
        return seconds(lambda: plain_import(file, Path(folder)))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    count = parser.parse_args().rows
    path = dataset(Dataset(count))
    control, took = seconds(lambda: read_through(path)), timed_plain_import(path)
    print(f"csv + Pydantic + executemany: {count / took:,.0f} rows/s ({took:.1f} s); reading alone {control:.2f} s")
