"""The only place that catches driver errors: what a driver says becomes a failure of glyphd's own vocabulary."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from glyphd.errors import GlyphdError, NoSpaceLeft, StoreUnavailable, UnexpectedFailure

_DISK_FULL = "53100"
_REFUSALS = ("22", "23", "P0")
"""SQLSTATE classes of values, constraints and triggers that refuse a row."""


@contextmanager
def translating() -> Iterator[None]:
    """Raise StoreUnavailable, NoSpaceLeft or UnexpectedFailure in place of what SQLAlchemy or the driver raises."""
    try:
        yield
    except DBAPIError as exc:
        raise _translated(exc.orig or exc) from exc
    except (sqlite3.Error, psycopg.Error) as exc:
        raise _translated(exc) from exc
    except PoolTimeout as exc:
        raise StoreUnavailable("All connections to the database are in use; try again.") from exc
    except SQLAlchemyError as exc:
        raise StoreUnavailable(f"The database answered: {exc}") from exc


def _translated(exc: BaseException) -> GlyphdError:
    text = str(exc).strip()
    if _is_refusal(exc):  # trying again cannot help
        return UnexpectedFailure(f"The database refused a row: {text}.")
    if _is_full(exc, text):
        return NoSpaceLeft(f"The database cannot grow: {text}.")
    return StoreUnavailable(f"The database answered: {text}.")


def _is_refusal(exc: BaseException) -> bool:
    if isinstance(exc, psycopg.Error):
        return isinstance(exc, psycopg.DataError) or (exc.sqlstate or "").startswith(_REFUSALS)
    return isinstance(exc, sqlite3.IntegrityError)


def _is_full(exc: BaseException, text: str) -> bool:
    if isinstance(exc, psycopg.Error):
        return exc.sqlstate == _DISK_FULL
    return "disk is full" in text or "disk I/O error" in text
