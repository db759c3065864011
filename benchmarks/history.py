"""How long the prices of a model through 1,000 imports take, and the first page of the current view of a big archive.

    uv run python -m benchmarks.history --rows 1000000 --imports 10

Cost model: a history reads, in one statement, the sightings of one model in every import of the page, each an index
prefix; so it costs with the imports and the model's rows in them, and not with the other rows. The current view's first
page reads the ledger and the rows of that page. Moves read two batches, a stretch of offers at a time.
Measured: over HTTP as the client sees it, medians. The many imports have 1,000 rows each and are written into the
ledger and the sightings by SQL, as imports would have left them: importing them would take minutes, and no request
reads anything else of them. The big archive is `--imports` imports of `--rows` rows, all of them real.
No-op control: `/livez`.
"""

import sqlite3
import statistics
from contextlib import closing
from datetime import UTC, datetime, timedelta
from functools import partial

import numpy as np

from benchmarks.generate import Dataset, dataset
from benchmarks.measure import Budget, Figure, Options, run_alone, seconds
from benchmarks.server import Server

HISTORY, FIRST_PAGE = 50.0, 20.0
TIMES = 15
MANY, ROWS_EACH, MODELS = 1_000, 1_000, 60
START = datetime(2024, 1, 1, tzinfo=UTC)


def run(options: Options) -> list[Figure]:
    """Measure and return the figures."""
    with Server() as server:
        for number in range(options.imports):
            file = dataset(Dataset(options.rows, seed=200 + number))
            server.upload(file, source="big")
            file.unlink()
        ask = partial(_milliseconds, server)
        current = ask("/api/listings", current="true")
        current_of_model = ask("/api/listings", current="true", model="h100-pcie-80gb")
        moves = ask("/api/deltas")
        _write_many(server)
        history = {bucket: ask("/api/models/M7/history", bucket=bucket) for bucket in ("import", "day", "month")}
        offer = ask("/api/listings/0000000000000007/history")
        control = ask("/livez")
    size = f"{options.imports * options.rows:,} rows"
    return [
        *(
            Figure(f"a model's history over {MANY:,} imports, by {bucket}", took, "ms", Budget(HISTORY))
            for bucket, took in history.items()
        ),
        Figure(f"an offer's history over {MANY:,} imports: first page", offer, "ms"),
        Figure(f"the current view of {size}: first page", current, "ms", Budget(FIRST_PAGE)),
        Figure(f"the current view of {size}, one model: first page", current_of_model, "ms"),
        Figure(f"moves in {size}: first page", moves, "ms"),
        Figure("control: an answer that reads nothing", control, "ms"),
    ]


def _milliseconds(server: Server, path: str, **params: str) -> float:
    """Ask once, so that caches are warm, and then again and again."""
    server.get(path, **params)
    return statistics.median(seconds(partial(server.get, path, **params)) for _ in range(TIMES)) * 1000


def _write_many(server: Server) -> None:
    """Write published imports, one every eight hours, with the same offers at other prices."""
    chance = np.random.default_rng(7)
    with closing(sqlite3.connect(server.folder / "glyphd.sqlite")) as connection, connection:
        connection.executemany("INSERT INTO models (model) VALUES (?)", [(f"M{number}",) for number in range(MODELS)])
        for number in range(MANY):
            import_id, moment = f"many-{number:05}", START + timedelta(hours=8 * number)
            _write_import(connection, import_id, moment, number, chance.lognormal(9, 0.5, ROWS_EACH).round(2).tolist())


def _write_import(
    connection: sqlite3.Connection, import_id: str, moment: datetime, version: int, prices: list[float]
) -> None:
    text = moment.replace(tzinfo=None).isoformat(" ", "microseconds")
    connection.execute(
        "INSERT INTO import_batches (import_id, imported_at, observed_at, source, source_version, received, count) "
        "VALUES (?, ?, ?, 'many', ?, ?, ?)",
        (import_id, text, text, version, len(prices), len(prices)),
    )
    rows = [(import_id, f"M{index % MODELS}", index, index + 1, price, 50) for index, price in enumerate(prices)]
    connection.executemany("INSERT INTO sightings VALUES (?, ?, ?, ?, ?, ?)", sorted(rows))
    counts = [(import_id, f"M{model}", len(prices[model::MODELS]), *[0.0] * 9) for model in range(MODELS)]
    connection.executemany(f"INSERT INTO import_model_stats VALUES ({','.join('?' * 12)})", counts)


if __name__ == "__main__":
    run_alone(run, __doc__, "rows", "imports")
