"""SQL functions that engines call by other names."""

from typing import Any

from sqlalchemy import ColumnElement
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import GenericFunction
from sqlalchemy.types import NullType


class to_milliseconds(GenericFunction[Any]):  # noqa: N801 - a function of SQL, as SQLAlchemy names its own
    """A moment without what is finer than a millisecond, for comparing moments with each other.

    On SQLite it is text, in SQLite's own reading of the several forms that rows from the field have.
    """

    type = NullType()
    inherit_cache = True


@compiles(to_milliseconds, "sqlite")
def _on_sqlite(element: ColumnElement[Any], compiler: SQLCompiler, **kw: Any) -> str:
    return f"strftime('%Y-%m-%d %H:%M:%f', {compiler.process(element.clauses, **kw)})"


@compiles(to_milliseconds, "postgresql")
def _on_postgresql(element: ColumnElement[Any], compiler: SQLCompiler, **kw: Any) -> str:
    return f"date_trunc('milliseconds', {compiler.process(element.clauses, **kw)})"
