"""Two imports are compared some models at a time, and that cannot be seen in the answer."""

from collections.abc import Callable, Iterable, Iterator

import pyarrow as pa
import pytest
from pyarrow import compute

from glyphd.domain.diff import Change, DiffFilters, DiffRow, DiffSort, Sighting, compare, summarise
from glyphd.services import comparing
from glyphd.services.context import Context
from glyphd.store import database, sighting_columns
from glyphd.store.reading_processes import Query, ReadingProcesses
from glyphd.store.sighting_columns import Shelf
from tests.engines import only_sqlite

HEADER = "canonical_model,vram_gb,tdp_watts,mig_support,nvlink,price,score,seller"
_MODELS = ("A100", "H100", "L40", "é")


def _crawl(make_lines: Callable[..., str], *crawl: tuple[float, ...]) -> str:
    """Return a batch of some prices by model; those of one seller share a key, which differs by model."""
    batches = [
        make_lines(*prices[::2], model=model, seller="one") + make_lines(*prices[1::2], model=model, seller="two")
        for model, prices in zip(_MODELS, crawl, strict=True)
    ]
    header, lines = batches[0].splitlines()[0], [line for batch in batches for line in batch.splitlines()]
    return "\n".join([header, *(line for line in lines if line != header)]) + "\n"


def _sightings(context: Context, import_id: str) -> list[Sighting]:
    with context.database.reading() as connection:
        counts = sighting_columns.model_counts(connection, import_id)
        return [
            Sighting(row["listing_key"].item(), model, row["import_index"].item(), row["price"].item(), 71.4)
            for model, count in counts.items()
            for row in next(sighting_columns.read_each(connection, None, [Shelf(import_id, model, model, count)]))
        ]


@pytest.mark.parametrize("rows", [4, 1_000_000])
def test_figures_come_to_the_last_bit(context: Context, publish: Callable[..., str], rows: int) -> None:
    """Whoever reads them."""
    scores = [5e-324, 1e-9 / 3, 0.1 + 0.2, 99.99999999999999]
    lines = [f"H100,80,350,7,True,{1e6 / 3!r},{score!r},one" for score in scores]
    import_id = publish("\n".join([HEADER, *lines]) + "\n")

    shelf = Shelf(import_id, "H100", "H100", len(scores))
    with context.database.reading() as connection, context.database.reading_processes(rows) as processes:
        (found,) = sighting_columns.read_each(connection, processes, [shelf])

    assert [(1e6 / 3, score) for score in scores] == [(row["price"].item(), row["score"].item()) for row in found]


def _walked(context: Context, target_id: str, filters: DiffFilters, limit: int) -> list[DiffRow]:
    rows: list[DiffRow] = []
    more = True
    while more:
        found, more = comparing.compare_imports(context, target_id, None, filters, limit=limit, offset=len(rows))
        rows += found.items
    return rows


@pytest.mark.parametrize("together", [1, 3, 50_000])
@pytest.mark.parametrize("sort", DiffSort)
def test_portions_cannot_be_seen(
    context: Context,
    publish: Callable[..., str],
    make_lines: Callable[..., str],
    monkeypatch: pytest.MonkeyPatch,
    sort: DiffSort,
    together: int,
) -> None:
    """However many models are paired at once, and however often the best rows are picked out: the oracle's rows."""
    base_id = publish(_crawl(make_lines, (1, 2, 3), (5, 5, 5, 5), (), (7,)))
    target_id = publish(_crawl(make_lines, (2, 2, 9, 1), (4, 6), (3,), (7,)))
    base, target = _sightings(context, base_id), _sightings(context, target_id)
    filters = DiffFilters(list(Change), sort=sort)
    whole, _ = comparing.compare_imports(context, target_id, base_id, filters, limit=1000)
    monkeypatch.setattr(comparing, "MODELS_TOGETHER", together)
    monkeypatch.setattr(comparing, "ROWS_AT_ONCE", 0)

    assert summarise(base, target) == whole.summary
    assert sorted(map(repr, compare(base, target))) == sorted(map(repr, whole.items))
    assert whole.items == _walked(context, target_id, filters, 2)
    found, _ = comparing.compare_imports(context, target_id, base_id, filters, limit=1)
    assert whole.summary == found.summary


def _with_printed_prices(table: pa.Table | None) -> pa.Table | None:
    """Return what comes of an import of whose prices one is not a number."""
    return table and table.set_column(
        2, "price", compute.utf8_length(table["price"].cast(pa.string())).cast(pa.string())
    )


@only_sqlite
@pytest.mark.parametrize("found", [lambda table: table, lambda table: table[1:], lambda _: None, _with_printed_prices])
def test_a_process_reads_what_we_would_have_read(
    context: Context,
    publish: Callable[..., str],
    make_lines: Callable[..., str],
    monkeypatch: pytest.MonkeyPatch,
    found: Callable[[pa.Table | None], pa.Table | None],
) -> None:
    """Whether it finds the sightings, only some of them since they are being deleted, or cannot say."""
    publish(_crawl(make_lines, (1, 2, 3), (5, 5, 5, 5), (), (7,)))
    target_id = publish(_crawl(make_lines, (2, 2, 9, 1), (4, 6), (3,), (7,)))
    expected = comparing.compare_imports(context, target_id, limit=100)
    read, answers = ReadingProcesses.read_each, []

    def reading(processes: ReadingProcesses, queries: Iterable[Query]) -> Iterator[pa.Table | None]:
        for answer in read(processes, queries):
            answers.append(answer)
            yield found(answer)

    monkeypatch.setattr(database, "ROWS_WORTH_PROCESSES", 0)
    monkeypatch.setattr(ReadingProcesses, "read_each", reading)

    assert expected == comparing.compare_imports(context, target_id, limit=100)
    assert answers
    assert None not in answers


def test_an_import_without_rows_of_a_model_is_compared(
    context: Context, publish: Callable[..., str], make_lines: Callable[..., str]
) -> None:
    """Where the models of both have nothing in common, everything appeared or disappeared."""
    base_id = publish(make_lines(1, 2, model="A100"))
    target_id = publish(make_lines(3, model="H100"))
    found, more = comparing.compare_imports(context, target_id, base_id, limit=10)

    assert not more
    assert (1, 2, 1) == (found.summary.appeared, found.summary.disappeared, found.summary.ambiguous)
