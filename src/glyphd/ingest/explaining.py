"""One record of a batch, read and judged once more, to tell how it became what is stored."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

import polars as pl

from glyphd.ingest.columns import ColumnMapping, resolve_columns
from glyphd.ingest.records import IMPORT_INDEX, Chunk, RecordReader
from glyphd.ingest.validate import Validator, Verdict


@dataclass(frozen=True, slots=True)
class ExplainedRecord:
    """A record as submitted: its bytes, the text of each field's cell, the header that it stood under, its verdict."""

    raw: bytes
    cells: Mapping[str, str | None]
    headers: Mapping[str, str]
    verdict: Verdict


def explain_record(
    reader: RecordReader, import_index: int, schema_version: str, received_at: datetime
) -> ExplainedRecord | None:
    """Read on to a record and judge it as its import did; None when there are not so many. Raises FileFault."""
    for chunk in reader:
        if import_index < chunk.first_index + chunk.received:
            return _explained(_only(chunk, import_index), reader.columns, schema_version, received_at)
    return None


def _only(chunk: Chunk, import_index: int) -> Chunk:
    return replace(
        chunk,
        first_index=import_index,
        received=1,
        cells=chunk.cells.filter(pl.col(IMPORT_INDEX) == import_index),
        malformed=[each for each in chunk.malformed if each.import_index == import_index],
    )


def _explained(chunk: Chunk, columns: ColumnMapping, schema_version: str, received_at: datetime) -> ExplainedRecord:
    raw = chunk.malformed[0].raw if chunk.malformed else chunk.raw(chunk.first_index)
    cells = next(iter(chunk.cells.drop(IMPORT_INDEX).to_dicts()), {})
    headers = _headers(columns, _members(raw), schema_version)
    return ExplainedRecord(raw, cells, headers, Validator(schema_version, received_at).validate(chunk))


def _members(raw: bytes) -> list[str]:
    """Return the member names of a record that is a JSON object: each record may have its own."""
    try:
        record = json.loads(raw)
    except (ValueError, RecursionError):
        return []
    return list(record) if isinstance(record, dict) else []


def _headers(columns: ColumnMapping, members: Iterable[str], schema_version: str) -> dict[str, str]:
    """Return by field the header that it was read from; of several names of one field, that of this very record."""
    headers = {field: name for name, field in columns.mapping.items()}
    names = [name for name in members if name in columns.mapping or name in columns.ignored]
    own = resolve_columns(names, schema_version).fields if names else {}
    return headers | {field: names[at] for field, at in own.items()}
