"""The same records written as a file of every format and compression."""

import csv
import gzip
import io
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import polars as pl

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

Records = Sequence[Mapping[str, str]]


def _separated(delimiter: str) -> Callable[[Sequence[str], Records], bytes]:
    def write(names: Sequence[str], records: Records) -> bytes:
        text = io.StringIO()
        writer = csv.writer(text, delimiter=delimiter)  # ends lines with CR LF, and so quotes a cell with either
        writer.writerows([names, *([record[name] for name in names] for record in records)])
        return text.getvalue().encode()

    return write


def _json(names: Sequence[str], records: Records) -> bytes:
    return json.dumps([{name: record[name] for name in names} for record in records]).encode()


def _ndjson(names: Sequence[str], records: Records) -> bytes:
    lines = (json.dumps({name: record[name] for name in names}, ensure_ascii=False) for record in records)
    return "".join(f"{line}\n" for line in lines).encode()


def _parquet(names: Sequence[str], records: Records) -> bytes:
    columns: dict[str, Any] = {name: [record[name] for record in records] for name in names}
    file = io.BytesIO()
    pl.DataFrame(columns, schema=dict.fromkeys(names, pl.String)).write_parquet(file)
    return file.getvalue()


FORMATS: dict[str, Callable[[Sequence[str], Records], bytes]] = {
    ".csv": _separated(","),
    ".tsv": _separated("\t"),
    ".json": _json,
    ".ndjson": _ndjson,
    ".parquet": _parquet,
}
COMPRESSIONS: dict[str, Callable[[bytes], bytes]] = {"": bytes, ".gz": gzip.compress, ".zst": zstd.compress}


def written(suffix: str, compression: str, names: Sequence[str], records: Records) -> bytes:
    """Return a file of records, all of whose cells are text."""
    return COMPRESSIONS[compression](FORMATS[suffix](names, records))
