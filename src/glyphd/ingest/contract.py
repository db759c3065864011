"""The row contract as dataframely schemas, one a schema version, made from the declaration in ``domain/listing.py``.

A schema is over *readings* (:mod:`glyphd.ingest.readings`), not over raw cells: the trimmed text of a cell and the
value read from it. Its rules are named ``<field>|<issue code>``. Of one field at most one rule fails: the first that
applies.
"""

from collections.abc import Callable, Mapping
from functools import cache

import dataframely as dy
import polars as pl

from glyphd.domain.conversion import CLOCK_TOLERANCE, SCHEME, UNKNOWN_MODEL, URL
from glyphd.domain.issues import IssueCode
from glyphd.domain.listing import Field, FieldType, fields_of
from glyphd.ingest.records import IMPORT_INDEX

RECEIVED_AT = "received_at"
"""A column of the readings: rules are static, the time they compare with is not."""

Rules = dict[IssueCode, pl.Expr]


def text_column(field: Field) -> str:
    """Return the column of the readings with a field's trimmed text, null when there is no value."""
    return field.name if field.type in {FieldType.TEXT, FieldType.URL} else f"{field.name}.text"


def rule_name(field: Field, code: IssueCode) -> str:
    """Return the name of the rule whose failure is this issue of this field."""
    return f"{field.name}|{code}"


def rules_of(field: Field) -> Rules:
    """Return a field's rules, in the order in which they apply; true or null means that the rule holds."""
    required: Rules = {IssueCode.REQUIRED: pl.col(text_column(field)).is_not_null()} if field.required else {}
    return required | _RULES[field.type](field)


def warnings_of(field: Field) -> Rules:
    """Return the rules whose failure makes the value NULL and is counted, and does not reject the record."""
    if field.unknown_means_null:
        return rules_of(field)
    if field.type is FieldType.URL:
        claims_scheme = pl.col(field.name).str.contains(f"^(?:{SCHEME})")
        return {IssueCode.NOT_A_URL: rules_of(field)[IssueCode.NOT_A_URL] | claims_scheme}
    return {}


def _is_read(field: Field) -> pl.Expr:
    return pl.col(text_column(field)).is_null() | pl.col(field.name).is_not_null()


def _text_rules(field: Field) -> Rules:
    text = pl.col(field.name)
    rules: Rules = {}
    if field.max_length is not None:
        rules[IssueCode.TOO_LONG] = text.str.len_chars() <= field.max_length
    if field.name == "canonical_model":
        rules[IssueCode.UNKNOWN_MODEL] = text.str.to_lowercase() != UNKNOWN_MODEL
    return rules


def _url_rules(field: Field) -> Rules:
    text = pl.col(field.name)
    too_long = text.str.len_chars() > field.max_length
    return {IssueCode.TOO_LONG: ~too_long, IssueCode.NOT_A_URL: too_long | text.str.contains(f"^(?:{URL})$")}


def _number_rules(field: Field) -> Rules:
    number = pl.col(field.name)
    finite = number.is_finite()
    rules = {IssueCode.NOT_A_NUMBER: _is_read(field), IssueCode.NOT_FINITE: finite}
    if field.type is FieldType.INTEGER:
        whole = number == number.floor()
        rules[IssueCode.NOT_AN_INTEGER] = ~finite | whole
        finite = finite & whole
    low = number > field.above if field.above is not None else number >= field.minimum
    rules[IssueCode.OUT_OF_RANGE] = ~finite | (low & (number <= field.maximum))
    return rules


def _boolean_rules(field: Field) -> Rules:
    return {IssueCode.NOT_A_BOOLEAN: _is_read(field)}


def _timestamp_rules(field: Field) -> Rules:
    latest = pl.col(RECEIVED_AT) + CLOCK_TOLERANCE
    return {IssueCode.NOT_A_TIMESTAMP: _is_read(field), IssueCode.OUT_OF_RANGE: pl.col(field.name) <= latest}


_RULES: Mapping[FieldType, Callable[[Field], Rules]] = {
    FieldType.TEXT: _text_rules,
    FieldType.URL: _url_rules,
    FieldType.INTEGER: _number_rules,
    FieldType.NUMBER: _number_rules,
    FieldType.BOOLEAN: _boolean_rules,
    FieldType.TIMESTAMP: _timestamp_rules,
}


def _utc() -> dy.Column:
    return dy.Datetime(nullable=True, time_unit="us", time_zone="UTC")


def _value_column(field: Field) -> dy.Column:
    match field.type:
        case FieldType.TEXT | FieldType.URL:
            return dy.String(nullable=True)
        case FieldType.INTEGER | FieldType.NUMBER:  # 64-bit floats hold every integer of the contract exactly
            return dy.Float64(nullable=True, allow_inf=True, allow_nan=True)
        case FieldType.BOOLEAN:
            return dy.Bool(nullable=True)
        case FieldType.TIMESTAMP:
            return _utc()


@cache
def contract(schema_version: str) -> type[dy.Schema]:
    """Return the schema that readings of one schema version must fulfil.

    What only warns (:func:`warnings_of`) is NULL in the readings already; fields with ``unknown_means_null`` have no
    other rules.
    """
    members: dict[str, object] = {IMPORT_INDEX: dy.Int64(nullable=True), RECEIVED_AT: _utc()}
    for field in fields_of(schema_version):
        members[text_column(field)] = dy.String(nullable=True)
        members[field.name] = _value_column(field)
        rules = {} if field.unknown_means_null else rules_of(field)
        members |= {rule_name(field, code): _as_rule(holds) for code, holds in rules.items()}
    return type(f"Listing_{schema_version.replace('.', '_')}", (dy.Schema,), members)


def _as_rule(holds: pl.Expr) -> object:
    return dy.rule()(lambda _: holds)
