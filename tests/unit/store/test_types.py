"""Moments as the store reads and writes them."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from sqlalchemy.dialects import postgresql, sqlite

from glyphd.store.types import JsonText, UtcTimestamp, parse_timestamp, timestamp_text

_NOON = datetime(2026, 7, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("stored", "moment"),
    [
        ("2026-07-01 12:00:00", _NOON),
        ("2026-07-01T12:00:00Z", _NOON),
        (" 2026-07-01T14:00:00.000+02:00 ", _NOON),
        ("2026-07-01", _NOON.replace(hour=0)),
        (_NOON.replace(tzinfo=None), _NOON),
        (_NOON, _NOON),
        ("", None),
        ("yesterday", None),
        (None, None),
    ],
)
def test_moments_in_every_form_of_the_field(stored: Any, moment: datetime | None) -> None:
    """No offset is UTC; text that is no moment is none."""
    assert moment == parse_timestamp(stored)


def test_text_order_is_time_order() -> None:
    """Whatever the offset, the text is UTC and of one width."""
    east = timezone(timedelta(hours=9))
    moments = [_NOON, _NOON + timedelta(microseconds=1), (_NOON + timedelta(hours=1)).astimezone(east)]
    texts = [timestamp_text(moment) for moment in moments]
    assert sorted(texts) == texts
    assert {26} == {len(text) for text in texts}
    assert moments == [parse_timestamp(text) for text in texts]


@pytest.mark.parametrize(
    ("kind", "value", "on_sqlite"),
    [
        (UtcTimestamp(), _NOON, "2026-07-01 12:00:00.000000"),
        (JsonText(), {"b": ["é"], "a": 1e22}, '{"a":1e+22,"b":["é"]}'),
        (JsonText(), None, None),
    ],
)
def test_columns_mean_the_same_on_both_engines(kind: Any, value: Any, on_sqlite: str | None) -> None:
    """SQLite keeps text, PostgreSQL moments as such and JSON as its text; both give back what went in."""
    lite, postgres = sqlite.dialect(), postgresql.dialect()  # type: ignore[no-untyped-call]
    sent = value if isinstance(kind, UtcTimestamp) else on_sqlite
    assert (on_sqlite, sent) == (kind.process_bind_param(value, lite), kind.process_bind_param(value, postgres))
    assert [value] * 2 == [kind.process_result_value(stored, lite) for stored in (on_sqlite, value)]
    types = [kind.load_dialect_impl(dialect).compile(dialect=dialect) for dialect in (lite, postgres)]
    assert (["TIMESTAMP", "TIMESTAMP WITH TIME ZONE"] if isinstance(kind, UtcTimestamp) else ["TEXT", "JSON"]) == types
