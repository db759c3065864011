"""Exports: a file has the listings that the pages have, and where each came from."""

import io
import os
import signal
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import msgspec
import polars as pl
import pytest

from glyphd.domain.report import ExportFormat
from glyphd.errors import IllegalTransition, ImportNotFound
from glyphd.services import exporting
from glyphd.services.browsing import ListingQuery, browse_listings
from glyphd.services.context import Context
from glyphd.services.exporting import SCHEMA, export_listings
from glyphd.services.rolling_back import roll_back_import
from glyphd.store import database
from glyphd.store.reading_processes import Query, ReadingProcesses
from glyphd.store.tables import scored_listings
from tests.engines import only_sqlite

OBSERVED = datetime(2026, 7, 1, 12, tzinfo=UTC)
HOSTILE = """canonical_model,vram_gb,tdp_watts,mig_support,nvlink,price,score,generation,cuda_cores,slot_width,\
pcie_generation,form_factor,notes,warnings,condition,quantity,min_order_qty,seller,region,source_url,source_type,seen_at
H100,80,350,7,True,28450.125,71.4,Hopper,14592,2,5,PCIe,"a ""quoted"",\nbroken note",w,New,3,1,=1+1,DE,\
https://shop.example/?b=2&a=1,shop,2026-06-30T08:12:00.5+02:00
Ä\u202e🂡,1,1,0,no,1e-3,0,,,,,,,,,,,'; DROP TABLE x; --,,,,
H100,80,350,7,True,5,1,,,,,,,,,,,s,US,,,2026-01-01
"""


@pytest.fixture(autouse=True)
def _small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a few rows need several reads and several frames."""
    monkeypatch.setattr(exporting, "INDEXES_PER_READ", 2)
    monkeypatch.setattr(exporting, "ROWS_PER_FRAME", 3)


@pytest.fixture
def market(publish: Callable[..., str], make_lines: Callable[..., str]) -> list[str]:
    """Three published imports of two sources, one record rejected; return their ids."""
    return [
        publish(make_lines(10, 0, 12, 11, model="A100"), source="shop", observed_at=OBSERVED),
        publish(make_lines(20), source="other"),
        publish(HOSTILE, source="shop"),
    ]


def exported(context: Context, **query: Any) -> list[dict[str, Any]]:
    """Return the rows of the Parquet file of a query, which is the same whoever reads the rows."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(database, "ROWS_WORTH_PROCESSES", 0)
        file = b"".join(export_listings(context, ListingQuery(**query), ExportFormat.PARQUET))
    assert file == b"".join(export_listings(context, ListingQuery(**query), ExportFormat.PARQUET))
    found = pl.read_parquet(io.BytesIO(file))
    assert SCHEMA == found.schema
    return found.to_dicts()


def shown(context: Context, **query: Any) -> list[dict[str, Any]]:
    """Return the listings that a query finds."""
    return browse_listings(context, ListingQuery(**query), limit=100).items


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"model": "h100"},
        {"model": "A100", "min_price": 11},
        {"model": "A100", "region": "US", "max_price": 11},
        {"model": "none"},
        {"min_price": 11, "max_price": 20},
        {"seller": "=1+1"},
        {"source": "shop", "min_score": 50},
        {"current": True},
        {"q": "drop table"},
        {"after": datetime(2026, 3, 1, tzinfo=UTC)},
    ],
)
def test_a_file_has_the_listings_of_the_pages(context: Context, market: list[str], query: dict[str, Any]) -> None:
    """The same rows with the same values in the same order, whatever the filter."""
    own = [name for name in SCHEMA if name not in {"source", "source_version", "observed_at", "artifact_sha256"}]
    assert market
    listed = shown(context, **query)
    assert listed == [{name: row[name] for name in own} for row in exported(context, **query)]


HOSTILE_TEXTS = [
    "\x1e",
    " \t",
    "NULL",
    "null",
    "'",
    "it''s",
    "',1,'",
    "a,b",
    "two\nlines",
    "a\r\nb",
    "%s%Q",
    "\\N",
    "é🂡",
]


@pytest.mark.parametrize("number", [5e-324, 1e-9 / 3, 2**-10 - 2**-63, 2**-10, 1 / 3, 99.99999999999999, 0.1 + 0.2])
def test_values_come_as_they_are(context: Context, publish: Callable[..., str], number: float) -> None:
    """Numbers to the last bit, text to the last character."""
    record = {"canonical_model": "A40", "vram_gb": 48, "tdp_watts": 300, "mig_support": 0, "nvlink": False}
    figures = [(max(each, 0.01), min(each, 100)) for each in (number, 12, 1e6)]
    offers = [(*figures[place % 3], text) for place, text in enumerate(HOSTILE_TEXTS)]
    listings = [{**record, "price": price, "score": score, "seller": seller} for price, score, seller in offers]
    publish(msgspec.json.encode(listings), "application/json")

    found = exported(context)

    assert [offer[:2] for offer in offers] == [(row["price"], row["score"]) for row in found]
    assert [row["seller"] for row in shown(context)] == [row["seller"] for row in found]


def test_rows_of_a_database_from_the_field(
    context: Context, engine: str, market: list[str], execute: Callable[..., Any]
) -> None:
    """They have no artifact, and any value in any column; a file shows what the listings show."""
    execute("DELETE FROM import_artifacts")
    execute("UPDATE scored_listings SET price = 0, seller = ''")
    if engine == "sqlite":
        execute("UPDATE scored_listings SET quantity = 'Available', seen_at = 'soon', region = x'ff', tdp_watts = 1e9")

    own = [name for name in SCHEMA if name not in {"source", "source_version", "observed_at", "artifact_sha256"}]
    assert shown(context) == [{name: row[name] for name in own} for row in exported(context)]
    assert market


@only_sqlite
@pytest.mark.parametrize(
    "change",
    [
        "seen_at = 'soon'",
        "seen_at = 2026",
        "tdp_watts = 1.5",
        "tdp_watts = 1e10",
        "tdp_watts = x'07'",
        "nvlink = 'maybe'",
        "nvlink = 2",
        "quantity = x'31'",
        "price = x'31'",
        "seller = 'a' || char(0)",
        "seen_at = '0000-01-01 00:00:00'",
        "price = 9e999",
        "notes = x'ff'",
    ],
)
def test_what_somebody_wrote_into_the_database(
    context: Context, market: list[str], execute: Callable[..., Any], change: str
) -> None:
    """One value that is not of its column's type, in an import of ours; the others are as they were."""
    execute(f"UPDATE scored_listings SET {change} WHERE import_index = 3")

    own = [name for name in SCHEMA if name not in {"source", "source_version", "observed_at", "artifact_sha256"}]
    assert shown(context) == [{name: row[name] for name in own} for row in exported(context)]
    assert market


def test_what_no_column_was_read_as_is_there_all_the_same(
    context: Context, publish: Callable[..., str], make_lines: Callable[..., str], execute: Callable[..., Any]
) -> None:
    """Of an import with an artifact too: somebody wrote the notes of one row into the database."""
    publish(make_lines(10, 11, 12, 13, 14))
    execute("UPDATE scored_listings SET notes = 'seen' WHERE import_index = 3")

    assert [None, None, "seen", None, None] == [row["notes"] for row in exported(context)]
    assert [10, 11, 12, 13, 14] == [row["price"] for row in exported(context)]


def test_rows_say_where_they_came_from(context: Context, market: list[str]) -> None:
    """Source, version, moment and file are those of the import."""
    row = exported(context, import_id=market[0])[0]
    assert ("shop", 1, OBSERVED) == (row["source"], row["source_version"], row["observed_at"])
    assert context.artifacts.has(row["artifact_sha256"])


def test_text_formats_have_the_same_rows(context: Context, market: list[str]) -> None:
    """NDJSON is the listings as the API writes them; CSV has a record for each."""
    assert market
    query = ListingQuery()
    listed = msgspec.to_builtins(shown(context))
    lines = b"".join(export_listings(context, query, ExportFormat.NDJSON)).splitlines()
    found = [msgspec.json.decode(line) for line in lines]
    assert listed == [{name: row[name] for name in listed[0]} for row in found]
    table = pl.read_csv(b"".join(export_listings(context, query, ExportFormat.CSV)), infer_schema=False)
    assert [row["notes"] for row in listed] == table["notes"].to_list()
    assert list(SCHEMA) == table.columns


@pytest.mark.parametrize("form", ExportFormat)
def test_a_file_of_no_rows(context: Context, form: ExportFormat) -> None:
    """It has its columns, as far as the format can say them."""
    file = b"".join(export_listings(context, ListingQuery(), form))
    assert (form is ExportFormat.NDJSON) == (not file)


@pytest.mark.parametrize("worth", [0, 50_000])
def test_what_is_rolled_back_meanwhile_is_in_the_file_as_a_whole(
    context: Context, market: list[str], monkeypatch: pytest.MonkeyPatch, worth: int
) -> None:
    """A file is of the state in which it was begun."""
    monkeypatch.setattr(database, "ROWS_WORTH_PROCESSES", worth)
    expected = b"".join(export_listings(context, ListingQuery(), ExportFormat.CSV))
    portions = export_listings(context, ListingQuery(), ExportFormat.CSV)
    begun = next(portions) + next(portions)
    roll_back_import(context, market[0], "test")
    assert expected == begun + b"".join(portions)
    assert market[0] not in {row["import_id"] for row in exported(context)}


@pytest.mark.parametrize("worth", [0, 50_000])
def test_what_is_deleted_meanwhile_breaks_the_file_off(
    context: Context,
    market: list[str],
    execute: Callable[..., list[Any]],
    monkeypatch: pytest.MonkeyPatch,
    worth: int,
) -> None:
    """Half an import is worse than no file."""
    monkeypatch.setattr(database, "ROWS_WORTH_PROCESSES", worth)
    portions = export_listings(context, ListingQuery(), ExportFormat.CSV)
    next(portions)
    execute("UPDATE import_batches SET status = 'purged' WHERE import_id = :id", id=market[0])
    with pytest.raises(IllegalTransition):
        list(portions)


@only_sqlite
def test_what_is_deleted_just_before_a_process_reads(
    context: Context,
    publish: Callable[..., str],
    make_lines: Callable[..., str],
    execute: Callable[..., list[Any]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It reads another state than the ledger was last seen in."""
    publish(make_lines(10))
    read = ReadingProcesses.read_each

    def late(processes: ReadingProcesses, queries: Iterable[Query]) -> Iterator[Any]:
        for query in queries:
            if scored_listings in query.select.get_final_froms():
                execute("UPDATE import_batches SET status = 'purged'")
                execute("DELETE FROM scored_listings")
            yield from read(processes, [query])

    monkeypatch.setattr(database, "ROWS_WORTH_PROCESSES", 0)
    monkeypatch.setattr(ReadingProcesses, "read_each", late)

    with pytest.raises(IllegalTransition):
        list(export_listings(context, ListingQuery(), ExportFormat.CSV))


@only_sqlite
@pytest.mark.parametrize("after", [0, 1, 3])
def test_a_process_that_reads_dies(
    context: Context, market: list[str], monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    """The file becomes the same all the same."""
    expected, left, read = exported(context), iter(range(after)), ReadingProcesses.read_each

    def dying(processes: ReadingProcesses, queries: Iterable[Query]) -> Iterator[Any]:
        for answer in read(processes, queries):
            if next(left, None) is None:
                with suppress(ProcessLookupError):
                    os.kill(processes.pids[0], signal.SIGKILL)
            yield answer

    monkeypatch.setattr(ReadingProcesses, "read_each", dying)

    assert expected == exported(context)
    assert market


def test_an_import_that_is_not_there(context: Context) -> None:
    """It is known before the file is begun."""
    with pytest.raises(ImportNotFound):
        export_listings(context, ListingQuery(import_id="01997c1e-4a00-7d5e-9c39-0f6a4cf0a1a1"), ExportFormat.CSV)
