"""Imports of every format and compression: their rejections come back as CSV, their artifacts can be replayed."""

import csv
import io
from collections.abc import Callable
from pathlib import Path

import pytest

from glyphd.domain.imports import Status
from glyphd.domain.report import ImportReport
from glyphd.services.context import Context
from glyphd.services.digesting import digest_import
from glyphd.services.replaying import replay_import
from glyphd.services.reporting import report_import
from glyphd.services.returning import return_rejections
from glyphd.services.running import run_next
from tests.conftest import GOOD_ROW
from tests.written import COMPRESSIONS, FORMATS, written

NAMES = [*GOOD_ROW, "note"]
RECORDS = [
    GOOD_ROW | {"note": "kept"},
    GOOD_ROW | {"price": "free", "note": 'é, "quoted"'},
    GOOD_ROW | {"note": "kept"},
    GOOD_ROW | {"vram_gb": "0", "note": "=1+1\ttab\nline"},
]

Imported = Callable[..., ImportReport]


@pytest.fixture
def import_written(import_file: Imported, tmp_path: Path) -> Callable[[str, str], ImportReport]:
    """Import four records, two of which are rejected, as a file of a format and compression."""

    def run(suffix: str, compression: str) -> ImportReport:
        file = tmp_path / f"batch{suffix}{compression}"
        file.write_bytes(written(suffix, compression, NAMES, RECORDS))
        return import_file(file)

    return run


@pytest.mark.parametrize("compression", COMPRESSIONS)
@pytest.mark.parametrize("suffix", FORMATS)
def test_rejections_come_back_as_csv(
    context: Context, import_written: Callable[[str, str], ImportReport], suffix: str, compression: str
) -> None:
    """Their columns in the order submitted, each cell as it was, whatever they were written in."""
    report = import_written(suffix, compression)
    found = b"".join(return_rejections(context, report.import_id)).decode()

    assert [
        ["import_index", "_issues", *NAMES],
        ["2", "price: not_a_number", *RECORDS[1].values()],
        ["4", "vram_gb: out_of_range", *RECORDS[3].values()],
    ] == list(csv.reader(io.StringIO(found, newline="")))


@pytest.mark.parametrize("compression", COMPRESSIONS)
@pytest.mark.parametrize("suffix", FORMATS)
def test_a_replay_reads_the_artifact_as_it_came(
    context: Context,
    import_written: Callable[[str, str], ImportReport],
    tmp_path: Path,
    suffix: str,
    compression: str,
) -> None:
    """The same digest (G5) and the same rejections, from the bytes that were submitted."""
    batch = import_written(suffix, compression)
    replay_id = replay_import(context, batch.import_id, "operator")
    assert run_next(context, "worker")
    again = report_import(context, replay_id)

    assert (Status.PUBLISHED, 4, 2, 2) == (again.status, again.received, again.count, again.rejected)
    assert digest_import(context, batch.import_id) == digest_import(context, replay_id)
    assert (batch.errors, batch.artifacts) == (again.errors, again.artifacts)
    stored = context.artifacts.locate(again.artifacts[0].sha256)
    assert f"batch{suffix}{compression}" == again.artifacts[0].filename
    assert (tmp_path / f"batch{suffix}{compression}").read_bytes() == stored.read_bytes()
