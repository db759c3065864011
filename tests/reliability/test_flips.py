"""Readers go on asking while batches are rolled back and restored: an answer has all of a batch's rows or none."""

import threading
from collections.abc import Callable
from typing import Any

import pytest

from glyphd.services.browsing import ListingQuery, browse_listings
from glyphd.services.context import Context
from glyphd.services.options import ImportOptions
from glyphd.services.receiving import receive_import, store_artifact
from glyphd.services.replaying import replay_import
from glyphd.services.rolling_back import restore_import, roll_back_import
from glyphd.services.running import run_next
from glyphd.services.surveying import survey_models

HEADER = "canonical_model,vram_gb,tdp_watts,mig_support,nvlink,price,score"
FLIPS = 25


@pytest.fixture
def batch(context: Context) -> tuple[str, str]:
    """A batch of ten rows, whose replay stands for it."""
    lines = [HEADER, *(f"M{row},80,350,7,true,{100 + row},71.4" for row in range(10))]
    with context.artifacts.writing() as writer:
        writer.write("\n".join(lines).encode())
        artifact = store_artifact(writer, "text/csv", None)
    import_id = receive_import(context, ImportOptions(), [artifact], "test")
    assert run_next(context, "worker")
    replay_id = replay_import(context, import_id, "test")
    assert run_next(context, "worker")
    return import_id, replay_id


def _listings(context: Context) -> list[Any]:
    return [row["import_id"] for row in browse_listings(context, ListingQuery(), limit=100).items]


def _models(context: Context) -> list[Any]:
    return [summary.model for summary in survey_models(context, limit=100)]


def test_no_answer_is_a_mix(context: Context, batch: tuple[str, str]) -> None:
    """Rows are the batch's, its replay's or nobody's, and always ten of them; the models are all there or none is."""
    over, seen = threading.Event(), {_listings: set[tuple[str, ...]](), _models: set[tuple[str, ...]]()}

    def ask(read: Callable[[Context], list[Any]]) -> None:
        while not over.is_set():
            seen[read].add(tuple(read(context)))

    readers = [threading.Thread(target=ask, args=(read,)) for read in seen]
    for reader in readers:
        reader.start()
    for _ in range(FLIPS):
        for import_id in reversed(batch):
            roll_back_import(context, import_id, "test")
        for import_id in batch:
            restore_import(context, import_id, "test")
    over.set()
    for reader in readers:
        reader.join(30)

    assert seen[_listings] <= {(), *((import_id,) * 10 for import_id in batch)}
    assert seen[_models] <= {(), tuple(f"M{row}" for row in range(10))}
    assert 2 <= min(map(len, seen.values()))
