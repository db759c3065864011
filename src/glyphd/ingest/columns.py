"""Which submitted column is which field of the contract (DESIGN §5)."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache

from glyphd.domain.listing import PREFERRED_ALIASES, WEAK_ALIASES, Field, fields_of, header_key
from glyphd.errors import DuplicateHeader, MissingColumn

SUPERSEDED_COLUMN = "superseded_column"
"""Warning: a column was left out because another one is the same field under a stronger name."""

RETURNED_COLUMNS = {"import_index": "parent_import_index", "_issues": "_issues"}
"""Columns of a file of rejections that comes back mended: what they are called then. They are no fields."""

HEADERS_SHOWN = 100
"""A failure quotes at most this many headers."""


@dataclass(slots=True)
class ColumnMapping:
    """How submitted columns map to fields.

    ``mapping`` is header as submitted → field name, ``ignored`` the columns that are no field (or a weaker name for
    one), ``header`` every column in submitted order.
    """

    mapping: dict[str, str] = field(default_factory=dict)
    ignored: list[str] = field(default_factory=list)
    warning_counts: Counter[str] = field(default_factory=Counter)
    header: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Resolution:
    """Which of some headers is which field: ``fields`` is field name → position in the header."""

    fields: Mapping[str, int]
    superseded: frozenset[int]


@cache
def _claims(schema_version: str) -> dict[str, tuple[str, int]]:
    """Return header key → the field it claims and how strongly: the lowest number wins."""
    return {key: (f.name, rank) for f in fields_of(schema_version) for rank, key in _names(f)}


def _names(f: Field) -> list[tuple[int, str]]:
    preferred = PREFERRED_ALIASES.get(f.name)
    names = sorted((f.name, *f.aliases), key=lambda name: name != preferred)
    return [(rank, header_key(name)) for rank, name in enumerate(names)]


_WEAK_KEYS = frozenset(header_key(alias) for alias in WEAK_ALIASES)


def resolve_columns(header: Sequence[str], schema_version: str) -> Resolution:
    """Find the columns of the fields of one schema version. A field under two names is read from the stronger one."""
    claims = _claims(schema_version)
    ranked: dict[str, list[tuple[int, int, bool]]] = {}
    for position, name in enumerate(header):
        key = header_key(name)
        if key in claims:
            field_name, rank = claims[key]
            ranked.setdefault(field_name, []).append((rank, position, key in _WEAK_KEYS))
    superseded = (claim for contenders in ranked.values() for claim in sorted(contenders)[1:])
    return Resolution(
        fields={field_name: min(contenders)[1] for field_name, contenders in ranked.items()},
        superseded=frozenset(position for _, position, weak in superseded if not weak),
    )


def claimed_field(name: str, schema_version: str) -> str | None:
    """Return the field that a column of this name may be, or None."""
    claim = _claims(schema_version).get(header_key(name))
    return claim and claim[0]


def is_weak(name: str) -> bool:
    """Tell whether a column of this name is the field it may be only where no other column is."""
    return header_key(name) in _WEAK_KEYS


def name_key(name: str, schema_version: str) -> str:
    """Return what two columns of one name share: names of fields as they are matched, others (free to be similar) by
    their trimmed lower case."""
    key = header_key(name)
    return f"field {key}" if key in _claims(schema_version) else name.strip().casefold()


def map_columns(header: Sequence[str], resolution: Resolution) -> ColumnMapping:
    """Return the mapping of a whole header, with a warning for every superseded column."""
    used = {position: field_name for field_name, position in resolution.fields.items()}
    mapping = ColumnMapping(header=list(header))
    for position, name in enumerate(header):
        if position in used:
            mapping.mapping[name] = used[position]
        elif name in RETURNED_COLUMNS:
            mapping.mapping[name] = RETURNED_COLUMNS[name]
        elif name.strip():
            mapping.ignored.append(name)
    if resolution.superseded:
        mapping.warning_counts[SUPERSEDED_COLUMN] = len(resolution.superseded)
    return mapping


def check_required(header: Sequence[str], resolution: Resolution, schema_version: str, line: int = 1) -> None:
    """Raise MissingColumn when a required field has no column."""
    missing = [f for f in fields_of(schema_version) if f.required and f.name not in resolution.fields]
    if missing:
        names = ", ".join(f.name for f in missing)
        accepted = {f.name: [f.name, *f.aliases] for f in missing}
        also = "; ".join(f"{f.name} is also read from {', '.join(f.aliases)}" for f in missing if f.aliases)
        raise MissingColumn(
            f"Missing: {names}. Found: {', '.join(header[:HEADERS_SHOWN])}." + (f" ({also}.)" if also else ""),
            line=line,
            column=len(header) + 1,
            missing=[f.name for f in missing],
            accepted=accepted,
            found=list(header[:HEADERS_SHOWN]),
            expected=[f.name for f in fields_of(schema_version) if f.required],
        )


def check_duplicates(header: Sequence[str], schema_version: str, line: int) -> None:
    """Raise DuplicateHeader when two columns have one name."""
    seen: dict[str, int] = {}
    for column, name in enumerate(header, start=1):
        key = name_key(name, schema_version)
        if key and (first := seen.setdefault(key, column)) != column:
            raise DuplicateHeader(
                f"Columns {first} ({header[first - 1]}) and {column} ({name}) have the same name.",
                line=line,
                column=column,
                columns=[first, column],
                header=name,
                found=[header[first - 1], name],
                expected="every column name once",
            )
