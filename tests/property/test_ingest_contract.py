# flake8: noqa: E501
# ruff: noqa: E501, D103, RUF001
"""The columnar validation against the oracle in the domain, for every field and nasty values."""

from datetime import UTC, datetime, timedelta

import polars as pl
from hypothesis import example, given, settings
from hypothesis import strategies as st

from glyphd.domain.conversion import convert, only_warns
from glyphd.domain.identity import hash_identity, identity_text
from glyphd.domain.issues import IssueCode
from glyphd.domain.listing import FIELDS, Field, FieldType
from glyphd.ingest.keys import with_listing_keys
from glyphd.ingest.records import Chunk
from glyphd.ingest.validate import Validator

RECEIVED_AT = datetime(2026, 11, 22, 5, 14, tzinfo=UTC)

GOOD = {
    "canonical_model": "H100", "vram_gb": "80", "tdp_watts": "350", "mig_support": "7", "nvlink": "yes", "price": "1", "score": "1",
}  # fmt: skip

NASTY = [
    *("", " ", "NaN", "nan", "+nan", "-nan", "NULL", "n/a", "N/A", "—", "–", "none", "None", "UNKNOWN", "unknown ", "\x1cx\x1f", "\u3000é\x85"),
    *("0", "1", "7", "8", "80", "80.0", "80.5", "8e1", "8E+1", "+7", "-0", "-0.0", "1.", ".5", ".", "1e", "1_000", "0x10", "٣", "1e400", "-1e400"),
    *("inf", "-Infinity", "infinit", "9" * 400, "99999999999999999999", "-9223372036854775809", "2147483647", "2147483648", "2147483647.5"),
    *("$12,490.00", "12,490", "$ 1,234,567.5", "1,2", "12,49", "1,234,56", "1,234.", "-$5", "$-5", "$", "$$5", "12 490", "1,234e3", "USD 5", "$0"),
    *("10000000", "10000000.01", "100", "100.0000001", "1e-400", "1,000,000,000", "true", "True", "FALSE", "yes", "No", "1.0", "0.0", "1.00", "y"),
    *("http://a.b/c", "https://", "http:///x", "ftp://a", "HTTP://A", "http://u:p@h:80/x", "http://u@/x", "http://:80/", "http://h:x/", "http://[::1]/"),
    *("shop.example/a", "see the article", "javascript:alert(1)", "Note: see", "1http://a"),
    *("http://a b", "http://a/\x00", "http://a/\u2028", "http://müller.de/", "http://a\\b", "http://" + "a" * 2041, "http://" + "a" * 2042, "http://a?b#c"),
    *("2026-11-20", "2026-11-20T08:12", "2026-11-20 08:12:00", "2026-11-20T08:12:00Z", "2026-11-20T08:12:00.123456789+05:30", "2026-11-20T08:12-0530"),
    *("2026-11-20T08:12:00,5+05", "2026-02-29", "2024-02-29", "0000-01-01", "0001-01-01T00:00+00:01", "0001-01-01", "9999-12-31T23:59:59-23:59"),
    *("2026-11-23T05:14:00Z", "2026-11-23T05:14:00.000001Z", "2026-11-20T24:00", "2026-11-20T08:12:60", "2026-1-1", "20261120", "2026-11-20T08", "+026-11-20"),
    *("2026-11-20T08:12:00+24:00", "2026-11-20T08:12:00 Z", "2026-11-20t08:12z", "2026-11-20T08:12:00.", "x" * 128, "x" * 129, "é" * 128, "😀" * 256, "y" * 4097),
]  # fmt: skip

texts = st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\0"), max_size=12)
numbers = st.from_regex(r"[-+$ ]{0,2}[0-9,]{1,9}\.?[0-9]{0,3}([eE][+-]?[0-9]{1,3})?", fullmatch=True)
stamps = st.from_regex(
    r"[0-9]{4}-[01][0-9]-[0-3][0-9]([T ][0-2][0-9]:[0-5][0-9](:[0-6][0-9]([.,][0-9]{1,7})?)?(Z|[+-][0-2][0-9]:?[0-5][0-9])?)?",
    fullmatch=True,
)
cells = st.sampled_from(NASTY) | numbers | stamps | texts


def judge(field: Field, column: list[str]) -> list[object]:
    """Validate one field's cells among good ones; return value, issue code or warning per row."""
    frame = pl.DataFrame(
        {"import_index": range(1, len(column) + 1)}
        | {name: [value] * len(column) for name, value in GOOD.items()}
        | {field.name: column},
        schema_overrides={"import_index": pl.Int64, field.name: pl.String},
    )
    chunk = Chunk(1, len(column), frame, raw=lambda index: b"")
    verdict = Validator("v1.1", RECEIVED_AT).validate(chunk)
    found: dict[int, object] = dict(verdict.accepted.select("import_index", field.name).iter_rows())
    for rejection in verdict.rejections:
        assert [issue.field for issue in rejection.issues] == [field.name]
        found[rejection.import_index] = rejection.issues[0].code
    return [found[index] for index in range(1, len(column) + 1)]


def expected(field: Field, cell: str) -> object:
    value = convert(field, cell, RECEIVED_AT)
    return None if isinstance(value, IssueCode) and only_warns(field, cell, value) else value


@settings(max_examples=20, deadline=None)
@given(column=st.lists(cells, min_size=1, max_size=30))
@example(column=NASTY)
def test_frames_convert_as_the_oracle_does(column):
    """For every field the columnar reading gives the value or the issue that the plain one gives."""
    for field in FIELDS:
        assert judge(field, column) == [expected(field, cell) for cell in column], field.name


def test_every_issue_code_of_a_cell_occurs_among_the_nasty_values():
    """The examples above reach every code that a cell can have, so that the comparison means something."""
    found = {
        value for field in FIELDS for cell in NASTY if isinstance(value := convert(field, cell, RECEIVED_AT), IssueCode)
    }
    assert found == set(IssueCode) - {
        IssueCode.INVALID_ENCODING, IssueCode.RAGGED_ROW, IssueCode.NOT_AN_OBJECT, IssueCode.DUPLICATE_MEMBER,
        IssueCode.NOT_TEXT, IssueCode.MALFORMED_JSON,
    }  # fmt: skip


def test_accepted_timestamps_are_utc():
    """A timestamp without an offset is UTC, one with an offset is shifted."""
    field = next(field for field in FIELDS if field.type is FieldType.TIMESTAMP)
    assert judge(field, ["2026-11-20T08:12:00+05:30"]) == [datetime(2026, 11, 20, 2, 42, tzinfo=UTC)]
    assert judge(field, ["2026-11-20"]) == [datetime(2026, 11, 19, 23, tzinfo=UTC) + timedelta(hours=1)]


hosts = st.sampled_from(
    [
        "shop.example",
        "WWW.Shop.example",
        "www.shop.example:443",
        "u@shop.example",
        "xn--mller-kva.de",
        "müller.de",
        "[::1]:80",
        "a_b.c",
    ]
)
paths = st.text(st.sampled_from("/aB.%é-_~;"), max_size=8).map(
    lambda path: path if not path or path[0] == "/" else "/" + path
)
odd_queries = [
    "?b=1&gclid&utm_x=1=2&gclid=&a",
    "?utm_a&utm_b",
    "?gclİd=1&a=1",
    "?mſclkid=1",
    "?msclKid=1&b",
    "?a&é=1",
]
queries = st.text(st.sampled_from("a=&?b1/"), max_size=8) | st.sampled_from(
    [
        "?id=1",
        "?utm_source=x",
        "?UTM_x",
        "?gclid=1&id=2",
        "?b=2&a=1",
        "?utmost=1",
        "?_ga",
        "?id=1#frag",
        "#frag",
        "?",
        "?a=1&a=0",
    ]
)
urls = st.tuples(st.sampled_from(["http://", "https://", "HTTPS://"]), hosts, paths, queries).map("".join)
maybe = st.none() | texts.map(str.strip).map(lambda text: text or None)


@settings(max_examples=150, deadline=None)
@example(rows=[("A40", f"https://shop.example/a{query}", None, None, None) for query in odd_queries])
@given(rows=st.lists(st.tuples(texts, st.none() | urls, maybe, maybe, maybe), min_size=1, max_size=20))
def test_frames_have_the_keys_of_the_domain(rows):
    """listing_key of a frame is, row by row, that of the golden vectors' function."""
    names = ["canonical_model", "source_url", "seller", "region", "condition"]
    frame = pl.DataFrame(rows, schema=dict.fromkeys(names, pl.String), orient="row")
    assert with_listing_keys(frame)["listing_key"].to_list() == [hash_identity(identity_text(*row)) for row in rows]
