"""A page of rejections is bounded by bytes as well as by number, in the answer and on the way to it."""

from collections.abc import Callable
from typing import Any

import polars as pl
from sqlalchemy import event

from glyphd.services.context import Context
from glyphd.store import rejections
from glyphd.store.rejections import PAGE_BYTES
from glyphd.store.tables import import_rejections

_RECORD = bytes(1 << 20)
_RECORDS = 40


def test_a_page_of_big_records_ends_early(engine: str, context: Context, publish_one: Callable[[], str]) -> None:
    """After some 8 MiB, and what comes after that has not been fetched; the next page goes on there."""
    import_id = publish_one()
    frame = pl.DataFrame(
        {"import_index": range(2, _RECORDS + 2), "raw": [_RECORD] * _RECORDS, "issues": ["[]"] * _RECORDS}
    )
    with context.database.writing() as work:
        work.append(import_rejections, frame, {"import_id": import_id})
        work.commit()
    cursors: list[str] = []

    def record(_connection: Any, cursor: Any, statement: str, *_: Any) -> None:
        cursors.extend([type(cursor).__name__] * ("raw" in statement))

    event.listen(context.database.engine, "before_cursor_execute", record)
    found: list[int] = []
    more = True
    while more:
        with context.database.reading() as connection:
            after = found[-1] if found else 0
            page, more = rejections.list_rejections(connection, import_id, limit=1000, after_index=after)
        assert PAGE_BYTES + len(_RECORD) >= sum(len(rejection.raw) for rejection in page)
        found += [rejection.import_index for rejection in page]
    assert list(range(2, _RECORDS + 2)) == found
    # psycopg's other cursors hold the whole answer; sqlite3's never do
    assert {"ServerCursor" if engine == "postgresql" else "Cursor"} == set(cursors)
