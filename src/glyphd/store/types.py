"""Column types that hold one meaning on every engine."""

import json
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import BigInteger, Dialect, Integer, Text, types
from sqlalchemy.dialects.postgresql import ARRAY, TEXT, TIMESTAMP

PlainText: types.TypeEngine[str] = Text().with_variant(TEXT(collation="C"), "postgresql")
"""Text that is compared, ordered and searched byte by byte, as SQLite does it by itself."""

RowNumber: types.TypeEngine[int] = Integer().with_variant(BigInteger(), "postgresql")
"""The number of a row: 64 bits on both engines."""


NO_MOMENT = datetime.fromtimestamp(0, UTC)
"""Stands where there has to be a moment and none is known."""


def timestamp_text(moment: datetime) -> str:
    """Return how SQLite stores a moment: UTC, fixed width, so that text order is time order."""
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(" ", "microseconds")


def parse_timestamp(stored: Any) -> datetime | None:
    """Read a stored moment as UTC; databases in the field hold several text forms, and some hold none (then None).

    SQLite keeps a mere year as a number, as it does every text that looks like one in a column declared TIMESTAMP.
    """
    try:
        moment = datetime.fromisoformat(stored.strip()) if isinstance(stored, str) else stored
        if not isinstance(moment, datetime):
            return None
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):  # `0001-01-01T00:00+01:00` is before every moment in UTC
        return None


class UtcTimestamp(types.TypeDecorator[datetime]):
    """A moment in UTC: text on SQLite (SQLAlchemy's DateTime raises on `''`), `timestamptz` on PostgreSQL."""

    impl = types.TIMESTAMP
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> types.TypeEngine[Any]:
        """Choose the engine's own type; the declared name stays TIMESTAMP on both."""
        if dialect.name == "postgresql":
            return dialect.type_descriptor(TIMESTAMP(timezone=True))
        return dialect.type_descriptor(_TextTimestamp())

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        """Store UTC."""
        if value is None or dialect.name == "postgresql":
            return value
        return timestamp_text(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        """Return an aware datetime in UTC, or None for text that is no moment."""
        return parse_timestamp(value)


class _TextTimestamp(types.UserDefinedType[str]):
    """A column declared TIMESTAMP that is read and written as the text SQLite keeps in it."""

    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        return "TIMESTAMP"


class TextList(types.TypeDecorator[list[str]]):
    """Texts as one parameter, never a column: JSON on SQLite, an array on PostgreSQL."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> types.TypeEngine[Any]:
        """Choose the engine's own type."""
        return dialect.type_descriptor(ARRAY(TEXT) if dialect.name == "postgresql" else Text())

    def process_bind_param(self, value: list[str] | None, dialect: Dialect) -> Any:
        """Return what the driver takes."""
        return value if dialect.name == "postgresql" else json.dumps(value)


class JsonText(types.TypeDecorator[Any]):
    """A JSON value as canonical text: TEXT on SQLite, JSON on PostgreSQL (JSONB would rewrite `1e22`)."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> types.TypeEngine[Any]:
        """Choose the engine's own type."""
        return dialect.type_descriptor(_PlainJson() if dialect.name == "postgresql" else Text())

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        """Return the text; NULL for None."""
        if value is None:
            return None
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True)

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:
        """Return the decoded value; psycopg has decoded it already, and what is stored is never a mere string."""
        if value == "[]":  # of a thousand imports hardly one has anything: 4 ms for nothing
            return []
        return json.loads(value) if isinstance(value, str) else value


class _PlainJson(types.UserDefinedType[Any]):
    """A column of type JSON that is written as text: SQLAlchemy's own type would encode that once more."""

    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        return "JSON"
