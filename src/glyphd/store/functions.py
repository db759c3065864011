"""SQL functions that engines call by other names."""

from typing import Any

from sqlalchemy import ColumnElement
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import GenericFunction
from sqlalchemy.types import Boolean, NullType


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


class is_among(GenericFunction[Any]):  # noqa: N801 - as above
    """Whether a text is one of a :class:`glyphd.store.types.TextList`.

    An IN of the library has a parameter for each: 1,000 took 4 ms before the statement was sent. Its type is unknown to
    the library, which on SQLite would compare a Boolean with 1, and SQLite would read the whole table.
    """

    type = NullType()
    inherit_cache = True


@compiles(is_among, "sqlite")
def _among_on_sqlite(element: ColumnElement[Any], compiler: SQLCompiler, **kw: Any) -> str:
    column, texts = (compiler.process(clause, **kw) for clause in element.clauses)
    return f"{column} IN (SELECT value FROM json_each({texts}))"


@compiles(is_among, "postgresql")
def _among_on_postgresql(element: ColumnElement[Any], compiler: SQLCompiler, **kw: Any) -> str:
    column, texts = (compiler.process(clause, **kw) for clause in element.clauses)
    return f"{column} = ANY({texts})"


class has_member(GenericFunction[bool]):  # noqa: N801 - as above
    """Whether a JSON object has a member of a name with a scalar value: object, name, the value as JSON text."""

    type = Boolean()
    inherit_cache = True


@compiles(has_member, "sqlite")
def _member_on_sqlite(element: ColumnElement[Any], compiler: SQLCompiler, **kw: Any) -> str:
    whole, name, value = (compiler.process(clause, **kw) for clause in element.clauses)
    kind = "replace({}, 'real', 'integer')"
    return (
        f"EXISTS (SELECT 1 FROM json_each({whole}) AS member WHERE member.key = {name} "
        f"AND member.value IS json_extract({value}, '$') "
        f"AND {kind.format('member.type')} = {kind.format(f'json_type({value})')})"
    )


@compiles(has_member, "postgresql")
def _member_on_postgresql(element: ColumnElement[Any], compiler: SQLCompiler, **kw: Any) -> str:
    whole, name, value = (compiler.process(clause, **kw) for clause in element.clauses)
    return f"CAST({whole} AS jsonb) @> jsonb_build_object(CAST({name} AS text), CAST({value} AS jsonb))"


class bytes_mention(GenericFunction[bool]):  # noqa: N801 - as above
    """Whether bytes hold a text, ignoring the case of ASCII letters; bytes that are no UTF-8 are searched as well."""

    type = Boolean()
    inherit_cache = True


@compiles(bytes_mention, "sqlite")
def _mention_on_sqlite(element: ColumnElement[Any], compiler: SQLCompiler, **kw: Any) -> str:
    whole, part = (compiler.process(clause, **kw) for clause in element.clauses)
    return f"instr(lower(CAST({whole} AS TEXT)), lower({part})) > 0"


@compiles(bytes_mention, "postgresql")
def _mention_on_postgresql(element: ColumnElement[Any], compiler: SQLCompiler, **kw: Any) -> str:
    whole, part = (compiler.process(clause, **kw) for clause in element.clauses)
    sought = f"convert_to(CAST({part} AS text), 'UTF8')"
    return f"position(lower(encode({sought}, 'escape')) IN lower(encode({whole}, 'escape'))) > 0"
