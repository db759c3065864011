"""The verdict on every record of a chunk: an accepted row, or a rejection that names each of its issues."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

import polars as pl

from glyphd.domain.issues import Issue, IssueCode, Rejection, message_for, quote_value
from glyphd.domain.listing import FIELDS, Field, FieldType, fields_of
from glyphd.errors import CountsDisagree
from glyphd.ingest.contract import contract, rule_name, rules_of, warnings_of
from glyphd.ingest.keys import with_listing_keys
from glyphd.ingest.readings import UTC_MICROSECONDS, read_cells
from glyphd.ingest.records import IMPORT_INDEX, Chunk

DTYPES: dict[FieldType, pl.DataType] = {
    FieldType.TEXT: pl.String(),
    FieldType.URL: pl.String(),
    FieldType.INTEGER: pl.Int64(),
    FieldType.NUMBER: pl.Float64(),
    FieldType.BOOLEAN: pl.Boolean(),
    FieldType.TIMESTAMP: UTC_MICROSECONDS,
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a chunk.

    ``accepted``: `import_index`, every field of the contract in its order, `listing_key`. ``rejections``: sorted by
    import_index. ``warning_counts`` counts cells by warning, ``error_counts`` issues by code. ``bytes_done`` is the
    chunk's.
    """

    accepted: pl.DataFrame
    rejections: list[Rejection]
    warning_counts: Counter[str]
    error_counts: Counter[str]
    bytes_done: int = 0


class Validator:
    """Validates the chunks of one import against one schema version."""

    def __init__(self, schema_version: str, received_at: datetime) -> None:
        """``received_at`` has an offset: offers seen more than 24 h after it are out of range."""
        self._schema_version = schema_version
        self._received_at = received_at
        self._fields = fields_of(schema_version)
        self._schema = contract(schema_version)

    def validate(self, chunk: Chunk) -> Verdict:
        """Return the verdict. Raises CountsDisagree when a record would be lost or counted twice."""
        readings = read_cells(chunk.cells, self._schema_version, self._received_at)
        readings, warning_counts = self._without_unknowns(readings)
        rows, failure = self._schema.filter(readings)
        rejections = [*chunk.malformed]
        error_counts = Counter(str(issue.code) for rejection in chunk.malformed for issue in rejection.issues)
        if len(failure):
            failed_rules = self._failed_rules(failure.counts())
            for (_, code), (_, count) in failed_rules.items():
                error_counts[str(code)] += count
            rejections += self._rejections(chunk, failure.invalid(), failed_rules)
            rejections.sort(key=lambda rejection: rejection.import_index)
        accepted = with_listing_keys(rows.select(IMPORT_INDEX, *(self._stored(field) for field in FIELDS)))
        if chunk.received != accepted.height + len(rejections):
            raise CountsDisagree(f"Of {chunk.received} records {accepted.height} + {len(rejections)} have a verdict.")
        return Verdict(accepted, rejections, warning_counts, error_counts, chunk.bytes_done)

    def _without_unknowns(self, readings: pl.DataFrame) -> tuple[pl.DataFrame, Counter[str]]:
        """Make NULL what is not accepted but only warns, and count it."""
        failures = {
            (field, code): ~holds.fill_null(value=True)
            for field in self._fields
            for code, holds in warnings_of(field).items()
        }
        marks = readings.select(mark.alias(rule_name(*rule)) for rule, mark in failures.items())
        counts = {rule: count for rule in failures if (count := marks[rule_name(*rule)].sum())}
        known = {
            field: pl.all_horizontal(*warnings_of(field).values()).fill_null(value=True)
            for field in {f for f, _ in counts}
        }
        readings = readings.with_columns(pl.when(holds).then(pl.col(field.name)) for field, holds in known.items())
        return readings, Counter({_warning(field, code): count for (field, code), count in counts.items()})

    def _stored(self, field: Field) -> pl.Expr:
        """Return a field's column as it is stored: all null when the schema version does not have it."""
        if field in self._fields:
            return pl.col(field.name).cast(DTYPES[field.type])
        return pl.lit(None, DTYPES[field.type]).alias(field.name)

    def _failed_rules(self, counts: Mapping[str, int]) -> dict[tuple[Field, IssueCode], tuple[pl.Expr, int]]:
        """Return the rules that failed anywhere, in the order of the fields, and how often."""
        return {
            (field, code): (holds, counts[rule_name(field, code)])
            for field in self._fields
            for code, holds in rules_of(field).items()
            if rule_name(field, code) in counts
        }

    def _rejections(
        self, chunk: Chunk, failing: pl.DataFrame, failed_rules: dict[tuple[Field, IssueCode], tuple[pl.Expr, int]]
    ) -> Iterable[Rejection]:
        """Return the rejections of failing rows, their issues in the order of the fields."""
        indices = failing[IMPORT_INDEX]
        cells = chunk.cells[chunk.cells[IMPORT_INDEX].search_sorted(indices)]
        # the failed rules again, on failing rows only: FailureInfo.details() spells out every rule, 0.5 s per 1M rows
        marks = failing.select((~holds).alias(rule_name(*rule)) for rule, (holds, _) in failed_rules.items())
        issues: list[list[Issue]] = [[] for _ in range(failing.height)]
        for field, code in failed_rules:
            _add_issues(issues, marks[rule_name(field, code)].arg_true(), field, code, cells)
        return map(Rejection, indices.to_list(), map(chunk.raw, indices.to_list()), issues)


def _warning(field: Field, code: IssueCode) -> str:
    return f"{field.name}_not_numeric" if code is IssueCode.NOT_A_NUMBER else f"{field.name}_{code}"


def _add_issues(
    issues: list[list[Issue]], failed: pl.Series, field: Field, code: IssueCode, cells: pl.DataFrame
) -> None:
    message = message_for(field, code)
    if field.name not in cells.columns:
        values: list[str | None] = [None] * failed.len()
    else:
        values = cells[field.name].gather(failed).to_list()
    made: dict[str | None, Issue] = {}
    for at, value in zip(failed.to_list(), values, strict=True):
        issue = made.get(value)
        if issue is None:
            quoted = None if value is None else quote_value(value)
            issue = made[value] = Issue(field.name, code, message, quoted)
        issues[at].append(issue)
