"""Fixtures of the ingest tests: factories for files, readers and verdicts."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from glyphd.domain.issues import Rejection
from glyphd.ingest.media_types import Format
from glyphd.ingest.readers import open_records
from glyphd.ingest.records import Chunk, Limits, RecordReader
from glyphd.ingest.validate import Validator, Verdict

RECEIVED_AT = datetime(2026, 11, 22, 5, 14, tzinfo=UTC)
HEADER = "canonical_model,vram_gb,tdp_watts,mig_support,nvlink,price,score"
GOOD_LINE = "H100_PCIE_80GB,80,350,7,True,28450.00,71.4"
GOOD_ROW = dict(zip(HEADER.split(","), GOOD_LINE.split(","), strict=True))


class Outcome:
    """Everything that came out of one file."""

    def __init__(self, reader: RecordReader, chunks: list[Chunk], verdicts: list[Verdict]) -> None:
        self.columns = reader.columns
        self.received = sum(chunk.received for chunk in chunks)
        self.accepted = pl.concat([verdict.accepted for verdict in verdicts])
        self.rejections: list[Rejection] = [rejection for verdict in verdicts for rejection in verdict.rejections]
        self.warning_counts = sum(
            (verdict.warning_counts for verdict in verdicts), start=type(verdicts[0].warning_counts)()
        )
        self.error_counts = sum((verdict.error_counts for verdict in verdicts), start=type(verdicts[0].error_counts)())
        self.codes = {
            rejection.import_index: [str(issue.code) for issue in rejection.issues] for rejection in self.rejections
        }


@pytest.fixture
def make_file(tmp_path: Path) -> Callable[[str | bytes], Path]:
    """Write content to a new file and return its path."""

    def make(content: str | bytes) -> Path:
        path = tmp_path / f"file-{len(list(tmp_path.iterdir()))}"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return make


@pytest.fixture
def read(make_file: Callable[[str | bytes], Path]) -> Callable[..., Outcome]:
    """Read and validate a file (its path, text or bytes)."""

    def read_file(
        content: Path | str | bytes, file_format: Format = Format.CSV, *, schema_version: str = "v1.1", **limits: Any
    ) -> Outcome:
        path = content if isinstance(content, Path) else make_file(content)
        reader = open_records(path, file_format, schema_version=schema_version, limits=Limits(**limits))
        validator = Validator(schema_version, RECEIVED_AT)
        chunks = list(reader)
        return Outcome(reader, chunks, [validator.validate(chunk) for chunk in chunks])

    return read_file


@pytest.fixture
def pipeline_file() -> Callable[[str], Path]:
    """Return a real file of the pipeline; tests that need one are skipped where there are none."""

    def find(name: str) -> Path:
        path = Path(__file__).parents[4] / "shared" / "data" / "pipeline" / name
        if not path.exists():
            pytest.skip(f"real pipeline data is not here: {path}")
        return path

    return find
