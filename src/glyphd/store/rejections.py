"""Submitted records that were not stored, each with its bytes and its issues."""

import json
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass

import msgspec
import polars as pl
from sqlalchemy import ColumnElement, Connection, func, or_, select

from glyphd.domain.issues import Issue, IssueCode, Rejection
from glyphd.store.functions import bytes_mention
from glyphd.store.tables import import_rejections
from glyphd.store.unit_of_work import UnitOfWork

PAGE_BYTES = 8 << 20
SEARCHED = 50_000
_AS_THEY_ARE_READ = {"stream_results": True, "max_row_buffer": 8}
"""Else psycopg holds the whole answer in memory, a thousand records of megabytes, before the first one is looked at."""

_decode_issues = msgspec.json.Decoder(list[Issue]).decode


def append_rejections(work: UnitOfWork, import_id: str, rejections: Sequence[Rejection]) -> None:
    """Insert rejections in the order given."""
    encode = msgspec.json.Encoder().encode
    rows = pl.DataFrame(
        {
            "import_index": [rejection.import_index for rejection in rejections],
            "raw": [rejection.raw for rejection in rejections],
            "issues": [encode(rejection.issues).decode() for rejection in rejections],
        },
        schema={"import_index": pl.Int64, "raw": pl.Binary, "issues": pl.String},
    )
    work.append(import_rejections, rows, {"import_id": import_id})


def list_issues(connection: Connection, import_id: str, *, limit: int) -> list[tuple[int, list[Issue]]]:
    """Return import_index and issues of the first rejections, without the records themselves."""
    table = import_rejections.c
    query = select(table.import_index, table.issues).where(table.import_id == import_id)
    found = connection.execute(query.order_by(table.import_index).limit(limit))
    return [(index, _decode_issues(issues)) for index, issues in found]


@dataclass(frozen=True, slots=True)
class RejectionFilters:
    """Which rejections: with an issue of this code, and with a text in the record or in what is said of it."""

    code: IssueCode | None = None
    text: str | None = None

    def conditions(self) -> Iterator[ColumnElement[bool]]:
        """Return what must hold of a rejection. Issues are JSON without spaces: quotes in their texts are escaped."""
        table = import_rejections.c
        if self.code is not None:
            yield table.issues.contains(f'"code":"{self.code}"', autoescape=True)
        if self.text is not None:
            said = json.dumps(self.text, ensure_ascii=False)[1:-1]
            yield or_(bytes_mention(table.raw, self.text), table.issues.icontains(said, autoescape=True))


def list_rejections(
    connection: Connection, import_id: str, *conditions: ColumnElement[bool], limit: int, after_index: int = 0
) -> tuple[list[Rejection], bool]:
    """Return a page of rejections, by import_index, and whether there are more.

    A page ends early once its records have :data:`PAGE_BYTES`, since one record may have megabytes.
    """
    table = import_rejections.c
    query = (
        select(table.import_index, table.raw, table.issues)
        .where(table.import_id == import_id, table.import_index > after_index, *conditions)
        .order_by(table.import_index)
        .limit(limit + 1)
    )
    found: list[Rejection] = []
    size = 0
    with closing(connection.execute(query, execution_options=_AS_THEY_ARE_READ)) as rows:
        for index, raw, issues in rows:
            if len(found) == limit or size > PAGE_BYTES:
                return found, True
            found.append(Rejection(index, raw if isinstance(raw, bytes) else raw.encode(), _decode_issues(issues)))
            size += len(raw)
    return found, False


def search_rejections(
    connection: Connection, import_id: str, filters: RejectionFilters, *, limit: int, after_index: int = 0
) -> tuple[list[Rejection], int | None]:
    """Return a page of the rejections that are sought, and behind which import_index the next one begins, if any.

    A page ends early, and may be empty, once :data:`SEARCHED` rejections were looked at: 0.15 s of them.
    """
    index = import_rejections.c.import_index
    ahead = select(index).where(import_rejections.c.import_id == import_id, index > after_index).order_by(index)
    last = connection.execute(ahead.offset(SEARCHED - 1).limit(1)).scalar()
    reach = [] if last is None else [index <= last]
    conditions = (*filters.conditions(), *reach)
    found, more = list_rejections(connection, import_id, *conditions, limit=limit, after_index=after_index)
    return found, found[-1].import_index if more else last


def find_rejection(connection: Connection, import_id: str, import_index: int) -> Rejection | None:
    """Return the rejection of one record, if it was rejected."""
    found, _ = list_rejections(connection, import_id, limit=1, after_index=import_index - 1)
    return next((each for each in found if each.import_index == import_index), None)


def count_rejections(connection: Connection, import_id: str) -> tuple[int, int]:
    """Return how many rejections the database holds for an import, and the sum of their import_index."""
    table = import_rejections.c
    query = select(func.count(), func.coalesce(func.sum(table.import_index), 0)).where(table.import_id == import_id)
    count, total = connection.execute(query).one()
    return count, total
