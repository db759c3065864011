"""The text of a CREATE TABLE, taken apart and put together again: what is not meant to change stays as it was written.

Tables in the field carry comments, checks, collations and columns of their own. Reflecting a table and writing it anew
would lose those; editing its text does not.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise, takewhile
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import sqlite
from sqlalchemy.schema import CreateColumn

_TOKENS = re.compile(
    r"""--[^\n]* | /\*.*?(?:\*/|\Z) | '(?:[^']|'')*' | "(?:[^"]|"")*" | `(?:[^`]|``)*` | \[[^\]]*\]
    | \s+ | [(),] | [^\s(),'"`\[/-]+ | .""",
    re.VERBOSE | re.DOTALL,
)
_CONSTRAINTS = frozenset({"CONSTRAINT", "PRIMARY", "UNIQUE", "CHECK", "FOREIGN"})


def quoted(name: str) -> str:
    """Return an identifier in double quotes."""
    return '"' + name.replace('"', '""') + '"'


def column_text(column: "sa.Column[Any]") -> str:
    """Return how a column is declared on SQLite."""
    if column.table is None:
        sa.Table("t", sa.MetaData(), column)
    return str(CreateColumn(column).compile(dialect=sqlite.dialect()))


@dataclass(frozen=True)
class TableText:
    """A CREATE TABLE: everything up to the first parenthesis, the items between commas, what follows them."""

    head: str
    items: tuple[str, ...]
    tail: str

    @classmethod
    def parse(cls, sql: str) -> "TableText":
        """Take the text in ``sqlite_master.sql`` apart; SQLite has made sure that it is well-formed."""
        words = _TOKENS.findall(sql)
        start = words.index("(")
        items, depth, place = [""], 1, start
        while depth:
            place += 1
            depth += {"(": 1, ")": -1}.get(words[place], 0)
            if depth == 1 and words[place] == ",":
                items.append("")
            elif depth:
                items[-1] += words[place]
        return cls("".join(words[: start + 1]), tuple(items), "".join(words[place:]))

    def __str__(self) -> str:
        """Put the text together again."""
        return self.head + ",".join(self.items) + self.tail

    @property
    def is_autoincrement(self) -> bool:
        """Whether ids are never used twice."""
        return any("AUTOINCREMENT" in (word.upper() for word in _words(item)) for item in self.items)

    def with_columns(self, columns: Mapping[str, str]) -> "TableText":
        """Declare columns by name: in the place of the one of that name, else after the last."""
        wanted = {name.lower(): text for name, text in columns.items()}
        items = [_in_place_of(item, wanted.pop(_column(item), None)) for item in self.items]
        end = next((place for place, item in enumerate(items) if not _column(item)), len(items))
        items[end:end] = [f"\n    {text}" for text in wanted.values()]
        return replace(self, items=tuple(items))

    def with_constraints(self, constraints: Iterable[str]) -> "TableText":
        """Add constraints at the end."""
        return replace(self, items=(*self.items, *(f"\n    {text}\n" for text in constraints)))

    def without(self, kind: str, columns: Sequence[str]) -> "TableText":
        """Drop the table constraints of a kind (`UNIQUE`, `FOREIGN`) over exactly these columns."""
        return replace(self, items=tuple(item for item in self.items if _constraint(item) != (kind, tuple(columns))))

    def tolerant(self, known: Iterable[str]) -> "TableText":
        """Let columns that glyphd does not know be NULL, unless they have a default; and let go of STRICT."""
        names = {name.lower() for name in known}
        items = tuple(_nullable(item) if _column(item) not in {"", *names} else item for item in self.items)
        return replace(self, items=items, tail=re.sub(r"\bSTRICT\b", "", self.tail, flags=re.IGNORECASE).rstrip(" ,"))


def _words(item: str) -> list[str]:
    return [token for token in _TOKENS.findall(item) if _counts(token)]


def _counts(token: str) -> bool:
    return not token.isspace() and token[:2] not in {"--", "/*"}


def _unquoted(word: str) -> str:
    if word[:1] in {'"', "`", "'"}:
        return word[1:-1].replace(word[0] * 2, word[0])
    return word[1:-1] if word[:1] == "[" else word


def _column(item: str) -> str:
    """Return the lower-case name of the column an item declares; empty for a table constraint."""
    first = next(iter(_words(item)), "")
    return "" if first.upper() in _CONSTRAINTS else _unquoted(first).lower()


def _in_place_of(item: str, text: str | None) -> str:
    """Return a declaration after the comments that stand before the one it replaces."""
    return item if text is None else "".join(takewhile(lambda token: not _counts(token), _TOKENS.findall(item))) + text


def _constraint(item: str) -> tuple[str, tuple[str, ...]]:
    """Return the kind of a table constraint, and the lower-case names of the columns it is over."""
    words = _words(item)
    if words and words[0].upper() == "CONSTRAINT":
        words = words[2:]
    if _column(item) or "(" not in words:
        return "", ()
    columns = words[words.index("(") : words.index(")")]
    names = (word for before, word in pairwise(columns) if before in {"(", ","})
    return words[0].upper(), tuple(_unquoted(name).lower() for name in names)


def _nullable(item: str) -> str:
    """Take NOT NULL, and what it says about conflicts, out of a column that has neither default nor expression."""
    tokens = _TOKENS.findall(item)
    places = [place for place, token in enumerate(tokens) if _counts(token)]
    upper = [tokens[place].upper() for place in places]
    if {"DEFAULT", "GENERATED", "AS"} & set(upper):
        return item
    for start, (word, following) in enumerate(pairwise(upper)):
        if (word, following) == ("NOT", "NULL") and upper[:start].count("(") == upper[:start].count(")"):
            length = 5 if upper[start + 2 : start + 4] == ["ON", "CONFLICT"] else 2
            for place in places[start : start + length]:
                tokens[place] = ""
    return "".join(tokens)
